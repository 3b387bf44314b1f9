# Die Nachrichten, die wir schreiben. Die Vorlage ist englisch; dort stehen auch die Regeln für den Ton.
#
# Wir sprechen als die Website, in der ersten Person, zu einem Menschen, und sagen du. Nach der Anrede und ihrem Komma geht es
# klein weiter. Was in „…“ steht, ist ein Knopf oder Titel der Seiten und muss dort genauso heißen.

hello = Hallo,
hello-name = Hallo { $name },

moment = { $day }. { $month ->
    [1] Januar
    [2] Februar
    [3] März
    [4] April
    [5] Mai
    [6] Juni
    [7] Juli
    [8] August
    [9] September
    [10] Oktober
    [11] November
   *[12] Dezember
} { $year } um { $time } UTC

fact-when = Wann
fact-browser = Womit
fact-place = Wo etwa
browser-on-system = { $browser } unter { $system }

check = Eine Nachricht wie diese kann jeder schreiben, also trau ihr noch nicht. Wähle bei { $site } „Nachricht prüfen“ und gib deine E-Mail-Adresse und diese Nummer ein: { $number }. Diese Seite fragt nie nach deinem Passwort.
new-password = So wählst du ein neues Passwort: Öffne { $site } so, wie du es immer tust, drücke „Anmelden“, dann „Ich brauche ein neues Passwort“. In dieser Nachricht ist mit Absicht kein Link.
was-it-you = Wenn du das warst, ist nichts zu tun. Wenn nicht, kennt vielleicht jemand anderes dein Passwort: Öffne { $site } so, wie du es immer tust, drücke „Anmelden“, dann „Ich brauche ein neues Passwort“. In dieser Nachricht ist mit Absicht kein Link.
code-lasts = Er gilt einmal und { $minutes } Minuten lang. Sag ihn niemandem: Wir fragen nie danach, weder am Telefon noch in einer Nachricht.
elsewhere = Wenn du dieses Passwort noch anderswo benutzt, ändere es auch dort. Fang mit deiner E-Mail an.
elsewhere-stealer = Solche Software nimmt alle Passwörter mit, die sie findet. Wähle neue auf einem Gerät, dem du traust, auch bei anderen Websites. Fang mit deiner E-Mail an.
not-broken-into = Bei { $site } selbst wurde nicht eingebrochen.
finding-out = Wie es dorthin kam, finden wir noch heraus.

turned-off-subject = Wir haben dein Passwort bei { $site } abgeschaltet
turned-off-dump = vielleicht kennt jemand anderes dein Passwort bei { $site }. Es stand in einer Liste von Passwörtern, die bei einer anderen Website gestohlen wurden, zusammen mit dieser E-Mail-Adresse. Darum haben wir es am { $at } abgeschaltet und dein Konto überall abgemeldet.
turned-off-stealer = vielleicht kennt jemand anderes dein Passwort bei { $site }. Es stand in einer Liste, die schädliche Software auf einem Computer oder Telefon angelegt hat, auf dem es eingegeben oder gespeichert war. Darum haben wir es am { $at } abgeschaltet und dein Konto überall abgemeldet.
turned-off-ours = vielleicht kann jemand anderes dein Passwort bei { $site } herausfinden. Eine Kopie unserer eigenen Daten ist in fremden Händen, mit der unkenntlich gemachten Form, in der wir Passwörter aufbewahren. Darum haben wir dein Passwort am { $at } abgeschaltet und dein Konto überall abgemeldet. An dir lag das nicht. Wie es geschah, finden wir noch heraus.

please-change-subject = Bitte wähle ein neues Passwort bei { $site }
please-change-dump = vielleicht kann jemand anderes dein Passwort bei { $site } erraten. Eines, das ihm sehr ähnlich ist oder das du früher hattest, stand in einer Liste von Passwörtern, die bei einer anderen Website gestohlen wurden, zusammen mit dieser E-Mail-Adresse. Das haben wir am { $at } gesehen.
please-change-stealer = vielleicht kann jemand anderes dein Passwort bei { $site } erraten. Eines, das ihm sehr ähnlich ist oder das du früher hattest, stand in einer Liste, die schädliche Software auf einem Computer oder Telefon angelegt hat, auf dem es eingegeben oder gespeichert war. Das haben wir am { $at } gesehen.
please-change-ours = vielleicht kann jemand anderes dein Passwort bei { $site } herausfinden. Eine Kopie unserer eigenen Daten ist in fremden Händen, mit der unkenntlich gemachten Form, in der wir Passwörter aufbewahren. Das haben wir am { $at } gesehen. An dir lag das nicht. Wie es geschah, finden wir noch heraus.

turned-on-again-subject = Dein Passwort bei { $site } gilt wieder
turned-on-again = dein Passwort bei { $site } gilt wieder, seit dem { $at }. Wir hatten es abgeschaltet, weil jemand anderes es hätte kennen können. Wir haben noch einmal nachgesehen und das zurückgenommen. Die Umstände tun uns leid.
turned-on-again-next = Du kannst dich anmelden wie immer. Vielleicht bitten wir dich dabei noch um ein neues Passwort. In dieser Nachricht ist mit Absicht kein Link.

reset-code-subject = Dein Code für ein neues Passwort bei { $site }
reset-code = jemand, wahrscheinlich du, möchte ein neues Passwort bei { $site }. Das ist der Code dafür. Gib ihn auf der Seite ein, die danach fragt:
reset-code-not-you = Wenn du das nicht warst, tu nichts: Ohne diesen Code bleibt dein Passwort, wie es ist.

sign-up-code-subject = Dein Code für ein Konto bei { $site }
sign-up-code = jemand, wahrscheinlich du, legt mit dieser E-Mail-Adresse ein Konto bei { $site } an. Das ist der Code, der sie bestätigt. Gib ihn auf der Seite ein, die danach fragt:
sign-up-code-not-you = Wenn du das nicht warst, tu nichts: Ohne diesen Code entsteht kein Konto.

sign-up-known-subject = Du hast schon ein Konto bei { $site }
sign-up-known = jemand, vielleicht du, wollte mit dieser E-Mail-Adresse ein Konto bei { $site } anlegen. Du hast hier schon eines. Darum ist kein anderes entstanden, und nichts hat sich geändert.
sign-up-known-next = So kommst du hinein: Öffne { $site } so, wie du es immer tust, und drücke „Anmelden“. Wenn du dein Passwort nicht mehr weißt, drücke dort „Ich brauche ein neues Passwort“. In dieser Nachricht ist mit Absicht kein Link.

address-code-subject = Dein Code für diese Adresse bei { $site }
address-code = jemand, wahrscheinlich du, möchte diese E-Mail-Adresse für ein Konto bei { $site } verwenden. Das ist der Code, der sie bestätigt. Gib ihn auf der Seite ein, die danach fragt:
address-code-not-you = Wenn du das nicht warst, tu nichts: Ohne diesen Code wird die Adresse nicht verwendet.

password-changed-subject = Dein Passwort bei { $site } wurde geändert
password-changed = dein Passwort bei { $site } wurde geändert, und alles andere, was angemeldet war, wurde abgemeldet.

address-changed-old-subject = Die E-Mail-Adresse deines Kontos bei { $site } wurde geändert
address-changed-old = seit dem { $at } hat dein Konto bei { $site } eine andere E-Mail-Adresse: { $address }. Diese hier gehört nicht mehr dazu. Warnungen schicken wir noch eine Zeit lang hierher.
address-changed-new-subject = Dein Konto bei { $site } hat jetzt diese E-Mail-Adresse
address-changed-new = seit dem { $at } hat dein Konto bei { $site } diese E-Mail-Adresse. Von jetzt an schreiben wir dir hierher.
address-changed-not-you = Wenn du das warst, ist nichts zu tun. Wenn nicht: Öffne { $site } so, wie du es immer tust, wähle „Hilfe“ und sag es uns. In dieser Nachricht ist mit Absicht kein Link.

app-added-subject = Dein Konto bei { $site } hat jetzt eine Authenticator-App
app-added = am { $at } kam zu deinem Konto bei { $site } eine Authenticator-App hinzu. Von jetzt an braucht die Anmeldung einen Code aus ihr.
app-removed-subject = Die Authenticator-App deines Kontos bei { $site } wurde entfernt
app-removed = am { $at } wurde die Authenticator-App deines Kontos bei { $site } entfernt. Die Anmeldung braucht keinen Code mehr aus ihr.
recovery-codes-made-subject = Neue Notfallcodes für dein Konto bei { $site }
recovery-codes-made = am { $at } entstanden neue Notfallcodes für dein Konto bei { $site }. Die alten gelten nicht mehr.
recovery-code-used-subject = Ein Notfallcode deines Kontos bei { $site } wurde benutzt
recovery-code-used = am { $at } wurde ein Notfallcode deines Kontos bei { $site } anstelle der Authenticator-App benutzt. Ein zweites Mal gilt er nicht.

new-browser-subject = Dein Konto bei { $site } wurde in einem neuen Browser geöffnet
new-browser = jemand, wahrscheinlich du, hat sich bei deinem Konto bei { $site } mit einem Browser angemeldet, den wir dort noch nicht kannten.

too-many-guesses-subject = Viele falsche Passwörter für dein Konto bei { $site }
too-many-guesses = jemand hat für dein Konto bei { $site } immer wieder falsche Passwörter eingegeben, das letzte am { $at }. Keines davon war richtig. Damit das Raten langsam bleibt, nehmen wir eine Zeit lang Passwörter nur aus Browsern an, in denen du schon angemeldet warst.
too-many-guesses-next = Wenn du dich anmelden kannst, ist nichts zu tun. Wenn nicht: Öffne { $site } so, wie du es immer tust, drücke „Anmelden“, dann „Ich brauche ein neues Passwort“. In dieser Nachricht ist mit Absicht kein Link.

deletion-planned-subject = Dein Konto bei { $site } wird gelöscht
deletion-planned = am { $at } hat jemand, wahrscheinlich du, uns gebeten, dein Konto bei { $site } zu löschen. Das tun wir am { $on }. Bis dahin bleibt alles, wie es ist.
deletion-planned-next = So behältst du es: Öffne { $site } so, wie du es immer tust, melde dich an und halte das Löschen dort an. Wenn du nicht darum gebeten hast, kennt vielleicht jemand anderes dein Passwort: Drücke zuerst „Ich brauche ein neues Passwort“. In dieser Nachricht ist mit Absicht kein Link.

deletion-stopped-subject = Dein Konto bei { $site } bleibt
deletion-stopped = dein Konto bei { $site } wird nicht gelöscht: Das wurde am { $at } angehalten. Nichts davon ist verloren.
