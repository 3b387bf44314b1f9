# Was Seiten sagen, auf Deutsch. Quelle ist ../en/pages.ftl; dieselben Namen, dieselben Werte.
#
# Wir reden eine Person an, mit „du“, und sprechen als die Website selbst. Erst was ist, dann warum, dann das eine, was zu tun ist.

## Um jede Seite

shell-skip = Zum Inhalt
shell-sign-out = Abmelden
shell-help = Hilfe
shell-check = Nachricht prüfen
shell-languages = Sprachen
shell-trouble = Noch nicht:

## Was mehrere Seiten gemeinsam haben

identifier-label = E-Mail-Adresse oder Benutzername
password-label = Passwort
username-label = Dein Konto
new-password-label = Neues Passwort
new-password-rules = Mindestens { $least } Zeichen, und keines, das du anderswo benutzt. Gut sind ein paar Wörter, die nur du so zusammenstellst; Leerzeichen sind erlaubt.
send-code = Code zuschicken
go-on = Weiter
back-to-sign-in = Anmelden
back-start-over = Von vorn beginnen
back-to-account = Dein Konto
back-to-help = Hilfe
back-to-dev-mailbox = Post auf diesem Rechner
change-elsewhere = Wenn du dieses Passwort auch anderswo benutzt, ändere es dort ebenfalls. Fang mit deinem E-Mail-Konto an.
device-on = { $browser } auf { $system }
device-unknown = Unbekannter Browser
device-at-place = { $device }, { $place }

## Was falsch sein kann

problem-slow-down =
    { $count ->
        [one] Das waren zu viele Versuche. Warte eine Minute und versuch es dann noch einmal.
       *[other] Das waren zu viele Versuche. Warte { $shown } Minuten und versuch es dann noch einmal.
    }
problem-mailed-code-missing = Gib den Code aus unserer Nachricht ein.
problem-mailed-code-wrong = Dieser Code stimmt nicht. Codes haben { $characters } Zeichen, gelten { $minutes } Minuten, und nur der neueste gilt.
problem-app-code-missing = Gib die 6 Ziffern ein, die deine App zeigt.
problem-app-code-wrong = Dieser Code stimmt nicht. Gib den ein, den deine App jetzt zeigt. Wenn es dabei bleibt, prüfe, ob sich die Uhr deines Telefons von selbst stellt.
problem-app-code-used = Dieser Code wurde schon benutzt. Warte, bis deine App den nächsten zeigt.
problem-recovery-code-missing = Gib einen deiner Notfallcodes ein.
problem-recovery-code-wrong = Dieser Code stimmt nicht oder wurde schon benutzt. Jeder gilt einmal; nimm den nächsten von deiner Liste.
problem-password-missing = Gib dein Passwort ein.
problem-password-wrong = Das ist nicht dein Passwort. Prüfe deine Eingabe.
problem-new-password-missing = Gib ein neues Passwort ein.
problem-new-password-too-short = Das ist zu kurz. Es müssen mindestens { $least } Zeichen sein.
problem-new-password-too-long = Das ist länger, als wir annehmen können. Nimm eines mit höchstens { $shown } Buchstaben, mit Umlauten etwas weniger.
problem-new-password-untypable = Darin ist ein Zeichen, das sich nicht überall tippen lässt, zum Beispiel ein Zeilenumbruch. Nimm eines ohne.
problem-new-password-leaked = Dieses Passwort steht in Listen gestohlener Passwörter, und Diebe probieren es aus. Nimm ein anderes.
problem-new-password-leaked-times =
    { $count ->
        [one] Dieses Passwort steht in Listen gestohlener Passwörter, und Diebe probieren es aus. Nimm ein anderes.
       *[other] Dieses Passwort steht { $shown } Mal in Listen gestohlener Passwörter, und Diebe probieren es aus. Nimm ein anderes.
    }
problem-new-password-guessable = Das lässt sich aus deinem Namen, deiner Adresse oder dem Namen dieser Website erraten. Nimm etwas, das nichts damit zu tun hat.
problem-new-password-same = Das ist das Passwort, das du jetzt hast. Nimm ein anderes.
problem-new-password-variation = Das ist dem Passwort, das du jetzt hast, zu ähnlich: Wer jenes kennt, errät auch dieses. Nimm ein ganz anderes.
problem-address-missing = Gib eine E-Mail-Adresse ein.
problem-address-not-one = Das sieht nicht nach einer E-Mail-Adresse aus. Sie sehen aus wie anna@example.com.
problem-address-same = Das ist die Adresse, die wir schon haben.
problem-identifier-missing = Gib deine E-Mail-Adresse oder deinen Benutzernamen ein.

## Anmelden

sign-in-title = Anmelden
sign-in-submit = Anmelden
sign-in-need-new-password = Ich brauche ein neues Passwort
sign-in-sign-up = Konto anlegen
sign-in-signed-out = Du bist abgemeldet.
sign-in-session-ended = Du wurdest abgemeldet. Bitte melde dich noch einmal an.
sign-in-first = Bitte melde dich zuerst an.
sign-in-start-again = Das hat zu lange gedauert, oder an deinem Konto hat sich inzwischen etwas geändert. Bitte fang noch einmal an.
sign-in-incomplete = Gib deinen Namen und dein Passwort ein.
sign-in-denied = Das hat nicht geklappt. Prüfe deine Eingabe oder hol dir ein neues Passwort. Falls wir deines nach einem Datenleck abgeschaltet haben, kommst du mit einem neuen wieder hinein.

turned-off-title = Wir haben dein Passwort abgeschaltet
turned-off-when = Jemand anderes kennt vielleicht dein Passwort bei { $site }. Darum haben wir es abgeschaltet und dein Konto überall abgemeldet, am { $when }.
turned-off-not-broken-into = Bei { $site } selbst wurde nicht eingebrochen.
turned-off-what-to-do = Mit einem neuen Passwort bist du wieder drin. Vorher schicken wir einen Code an deine E-Mail-Adresse, damit wir wissen, dass du es bist.
turned-off-by-hand-when = Wir haben dein Passwort bei { $site } abgeschaltet und dein Konto überall abgemeldet, am { $when }.
turned-off-by-hand-what-to-do = Ein neues lässt dich vorerst nicht wieder hinein. Bitte schreib uns: Wir sagen dir, warum und wie es weitergeht.
leak-source-dump = Es stand in einer Liste von Passwörtern, die auf einer anderen Website gestohlen wurden, zusammen mit deiner E-Mail-Adresse oder deinem Namen.
leak-source-stealer = Es stand in einer Liste aus Schadsoftware, die auf Computern und Telefonen Passwörter abschreibt. Vielleicht ist sie auf einem, das du benutzt hast: Lass es ansehen, bevor du dort das neue Passwort eingibst.
leak-source-ours = Vielleicht wurde es bei uns abgeschrieben. Wie, finden wir gerade noch heraus.

change-required-title = Dein Passwort muss geändert werden
change-required-why = Bitte wähle darum ein neues, bevor du weitermachst.
change-required-by-hand = Bitte wähle ein neues Passwort, bevor du weitermachst.
change-required-code-by-hand = Zuerst schicken wir einen Code an { $address }, damit wir wissen, dass du es bist.
change-required-code = Zuerst schicken wir einen Code an { $address }, damit wir wissen, dass du es bist und nicht jemand mit der Liste.
change-required-no-address = Wir haben keine Adresse von dir, die lange genug bei uns steht, um einen Code dorthin zu schicken. Bitte schreib uns, wir helfen dir wieder hinein.
change-required-help = So erreichst du uns

known-leaked-title = Dein Passwort steht in Listen gestohlener Passwörter
known-leaked-text = Du bist angemeldet. Aber das Passwort, das du eingegeben hast, steht in Listen gestohlener Passwörter, und Diebe probieren es auf vielen Websites aus.
known-leaked-times =
    { $count ->
        [one] Du bist angemeldet. Aber das Passwort, das du eingegeben hast, steht in Listen gestohlener Passwörter, und Diebe probieren es auf vielen Websites aus.
       *[other] Du bist angemeldet. Aber das Passwort, das du eingegeben hast, steht { $shown } Mal in Listen gestohlener Passwörter, und Diebe probieren es auf vielen Websites aus.
    }
known-leaked-what-to-do = Ein neues ist in einer Minute gewählt. Wir sagen das nur dieses eine Mal.
known-leaked-change = Jetzt ändern
known-leaked-go-on = Mit diesem weitermachen

app-code-title = Gib den Code aus deiner App ein
app-code-label = Code aus deiner App
app-code-hint = Öffne deine Authenticator-App und gib die 6 Ziffern ein, die sie für { $site } zeigt.
app-code-no-app = Ich kann die App nicht benutzen
factor-go-on = Weiter
recovery-code-title = Mit einem Notfallcode
recovery-code-label = Notfallcode
recovery-code-hint = Einer der Codes, die du dir notiert hast, als du die App eingerichtet hast. Jeder gilt einmal.
recovery-code-back = Die App benutzen

## Ein Code per E-Mail

mailed-code-title = Gib unseren Code ein
mailed-code-sent = Wir haben eine Nachricht mit einem Code an { $address } geschickt.
mailed-code-perhaps = Falls „{ $identifier }“ hier ein Konto hat, haben wir eine Nachricht mit einem Code an dessen E-Mail-Adresse geschickt.
mailed-code-label = Code aus unserer Nachricht
mailed-code-hint = Er gilt { $minutes } Minuten. In der Nachricht ist kein Link: Der Code wird hier eingegeben, auf der Seite, die du selbst geöffnet hast.
mailed-code-sent-again = Wir haben einen weiteren Code geschickt. Der vorige gilt nicht mehr.
mailed-code-nothing-came = Nichts gekommen? Sieh bei den unerwünschten Nachrichten nach, und warte ein paar Minuten.
mailed-code-again = Noch einen Code schicken

## Konto anlegen

sign-up-title = Konto anlegen
sign-up-label = Deine E-Mail-Adresse
sign-up-hint = Dorthin schicken wir einen Code. Später meldest du dich mit dieser Adresse an, und wir schreiben dir, wenn sich an deinem Konto etwas ändert.

## Ein neues Passwort

new-password-title = Neues Passwort holen
new-password-text = Sag uns, welches Konto deines ist. Wir schicken einen Code an dessen E-Mail-Adresse.
choose-password-title = Wähle ein neues Passwort
choose-password-title-sign-up = Wähle ein Passwort
choose-password-submit = Dieses Passwort nehmen
choose-password-submit-sign-up = Mein Konto anlegen
new-password-done-title = Dein neues Passwort gilt
new-password-done-text = Das alte gilt nicht mehr, und dein Konto ist überall abgemeldet.
elsewhere-title = Hast du das alte auch anderswo benutzt?
elsewhere-text = Diebe probieren ein Passwort, das sie kennen, auf vielen Websites aus. Wo immer du das alte oder ein sehr ähnliches benutzt hast, ändere es auch:
elsewhere-mail = Deine E-Mail. Wer sie liest, kommt fast überall hinein.
elsewhere-money = Bank, Bezahldienste, Wertpapiere.
elsewhere-shops = Geschäfte, die deine Karte oder Anschrift kennen.
elsewhere-people = Wo man dich kennt: Chats, Fotos, Netzwerke.
new-password-done-submit = Damit anmelden

## Dein Konto

account-title = Dein Konto
account-proofs-title = Wie du dich anmeldest
account-reach-title = Wie wir dich erreichen
account-happened-title = Was geschehen ist
account-safe = Tipps für ein sicheres Konto
account-delete = Mein Konto löschen
row-password = Passwort
row-password-since = Gesetzt am { $day }
row-password-unknown = Gesetzt
row-app = Authenticator-App
row-app-since = Seit { $day }
row-app-none = Noch keine
row-codes = Notfallcodes
row-codes-left =
    { $count ->
        [0] Keiner übrig
        [one] Einer übrig
       *[other] { $shown } übrig
    }
row-address = E-Mail-Adresse
row-address-none = Noch keine
row-messages = Nachrichten von uns an dich
row-messages-count =
    { $count ->
        [0] Keine in den letzten 90 Tagen
        [one] Eine in den letzten 90 Tagen
       *[other] { $shown } in den letzten 90 Tagen
    }
row-sessions = Wo du angemeldet bist
row-sessions-count =
    { $count ->
        [one] Nur in diesem Browser
       *[other] An { $shown } Orten
    }
row-activity = Anmeldungen
row-activity-last = Die letzte vor dieser: { $when }
row-activity-first = Diese ist die erste, von der wir wissen

next-nothing-title = Alles in Ordnung
next-nothing-text = Du musst nichts tun.
next-password-title = Wähle ein anderes Passwort
next-password-text = Deines steht in Listen gestohlener Passwörter, und Diebe probieren es auf vielen Websites aus.
next-password-button = Passwort ändern
next-address-title = Sag uns, wie wir dich erreichen
next-address-text = Ohne E-Mail-Adresse können wir dich nicht warnen, und du bekommst kein neues Passwort.
next-address-button = Adresse angeben
next-app-title = Richte eine Authenticator-App ein
next-app-text = Dann kommt niemand hinein, der nur dein Passwort kennt. Es dauert zwei Minuten und braucht ein Telefon.
next-app-button = App einrichten
next-codes-title = Mach neue Notfallcodes
next-codes-text =
    { $count ->
        [0] Du hast keinen mehr. Ohne einen sperrt dich ein verlorenes Telefon aus.
        [one] Du hast noch einen. Ohne einen sperrt dich ein verlorenes Telefon aus.
       *[other] Du hast noch { $shown }. Ohne einen sperrt dich ein verlorenes Telefon aus.
    }
next-codes-button = Notfallcodes ansehen
next-deletion-title = Dein Konto wird gelöscht
next-deletion-text = So hast du es gewollt. Am { $day } löschen wir es mit allem, was dazugehört. Bis dahin kannst du das anhalten.
next-deletion-button = Löschung ansehen

done-account-made = Dein Konto ist fertig.
done-password-changed = Dein Passwort ist geändert, und alle anderen Browser sind abgemeldet.
done-address-changed = Deine Adresse ist geändert. Wir haben der alten und der neuen geschrieben.
done-app-removed = Die Authenticator-App ist entfernt.
done-others-signed-out = Alle anderen Browser sind abgemeldet.
done-deletion-stopped = Dein Konto bleibt. Wir löschen es nicht.

change-password-title = Passwort ändern
change-password-current-label = Jetziges Passwort
change-password-effect = Danach sind alle anderen Browser und Apps abgemeldet.
change-password-submit = Passwort ändern

change-address-title = Adresse ändern
change-address-now = Zurzeit schreiben wir an { $address }.
change-address-both = Von der Änderung erfahren beide Adressen.
change-address-none = Wir haben noch keine Adresse von dir.
change-address-label = Neue E-Mail-Adresse
change-address-hint = Dorthin schicken wir einen Code, damit wir sicher sind, dass sie deine ist.

enrol-app-title = Authenticator-App einrichten
enrol-app-why = Die App zeigt jede halbe Minute einen neuen Code. Von da an meldest du dich mit deinem Passwort und diesem Code an.
enrol-app-step-open = Öffne eine Authenticator-App auf deinem Telefon. Wenn du noch keine hast: Im App-Store gibt es viele, jede ist recht.
enrol-app-step-scan = Füge in der App ein Konto hinzu und scanne dieses Bild.
enrol-app-qr = Bild zum Scannen mit der App
enrol-app-or-type = Oder tippe diesen Schlüssel in die App:
enrol-app-type = Füge in der App ein Konto hinzu und tippe diesen Schlüssel ein:
enrol-app-step-code = Gib die 6 Ziffern ein, die die App für { $site } zeigt.
enrol-app-submit = Einschalten

remove-app-title = Authenticator-App entfernen
remove-app-since = Seit { $day } meldet sich niemand ohne einen Code aus deiner App bei deinem Konto an.
remove-app-effect = Wenn du sie entfernst, öffnet dein Passwort allein dein Konto, und auch die Notfallcodes gelten nicht mehr.
remove-app-new-phone = Wenn du ein neues Telefon hast, richte die App gleich danach dort ein.
remove-app-submit = App entfernen
remove-app-longer-password = Dafür muss es mindestens { $least } Zeichen haben. Deines hat vielleicht weniger: Wähle zuerst ein längeres.
remove-app-choose-password = Neues Passwort wählen

recovery-codes-title = Notiere deine Notfallcodes
recovery-codes-text =
    { $count ->
        [one] Wenn dein Telefon verloren oder kaputt ist, kommst du mit diesem Code hinein. Er gilt einmal.
       *[other] Wenn dein Telefon verloren oder kaputt ist, kommst du mit diesen { $shown } Codes hinein. Jeder gilt einmal.
    }
recovery-codes-print-text = Notfallcodes für { $site }. Jeder gilt einmal, anstelle des Codes aus der Authenticator-App.
recovery-codes-once = Wir zeigen sie nur jetzt. Drucke diese Seite oder schreib sie ab, und bewahre sie nicht beim Telefon auf.
recovery-codes-submit = Ich habe sie notiert
recovery-codes-left-title = Notfallcodes
recovery-codes-left-text =
    { $count ->
        [0] Du hast keinen Notfallcode mehr.
        [one] Du hast noch einen Notfallcode.
       *[other] Du hast noch { $shown } Notfallcodes.
    }
recovery-codes-left-what = Wenn dein Telefon verloren oder kaputt ist, kommst du mit einem davon hinein. Jeder gilt einmal. Wir können sie nicht noch einmal zeigen, aber du kannst neue machen.
recovery-codes-left-submit = Neue Codes machen
recovery-codes-left-effect = Die alten gelten dann nicht mehr.

sessions-title = Wo du angemeldet bist
sessions-text = Wenn du etwas davon nicht kennst, melde es ab und ändere dann dein Passwort.
sessions-this = Dieser Browser
sessions-signed-in = Seit
sessions-seen = Zuletzt
sessions-end = Abmelden
sessions-end-which = { $device } abmelden
sessions-one-ended = Dieser Browser ist abgemeldet.
sessions-one-ended-next = Wenn du das nicht warst, kennt jemand vielleicht dein Passwort. Ändere es jetzt.
sessions-others-title = Noch irgendwo sonst?
sessions-others-text = Damit ist dein Konto überall abgemeldet, nur hier nicht.
sessions-others-submit = Überall sonst abmelden

messages-title = Nachrichten von uns an dich
messages-text = Was wir dir in den letzten 90 Tagen geschrieben haben. In unseren Nachrichten ist nie ein Link, und nie fragen wir nach deinem Passwort.
messages-none = Wir haben dir in den letzten 90 Tagen nichts geschickt.
messages-not-listed = Eine Nachricht aus den letzten 90 Tagen, die hier nicht steht, ist nicht von uns. Nur was kam, bevor du dieses Konto oder diese Adresse hattest, steht nicht hier: Wähle dafür „Nachricht prüfen“.
message-turned-off = Wir haben dein Passwort abgeschaltet
message-please-change = Bitte wähle ein neues Passwort
message-turned-on-again = Wir haben dein Passwort wieder eingeschaltet
message-reset-code = Ein Code für ein neues Passwort
message-sign-up-code = Ein Code, um ein Konto anzulegen
message-sign-up-known = Jemand wollte mit deiner Adresse ein Konto anlegen
message-address-code = Ein Code, um eine Adresse zu bestätigen
message-password-changed = Dein Passwort wurde geändert
message-address-changed = Deine E-Mail-Adresse wurde geändert
message-second-factor-changed = Deine Authenticator-App oder Notfallcodes wurden geändert
message-new-browser = Eine Anmeldung aus einem neuen Browser
message-too-many-guesses = Viele falsche Passwörter oder Codes
message-deletion-planned = Dein Konto wird gelöscht
message-deletion-stopped = Dein Konto wird nicht gelöscht
message-state-queued = Wartet
message-state-sending = Wird verschickt
message-state-sent = Verschickt
message-state-failed = Nicht zustellbar
message-state-unknown = Vielleicht zugestellt

activity-title = Anmeldungen
activity-text = Wer sich in den letzten 90 Tagen bei deinem Konto angemeldet oder es versucht hat.
activity-none = Niemand hat sich angemeldet oder es versucht.
activity-signed-in = Angemeldet mit { $proofs }
activity-and = {" und "}
activity-not-me-title = Warst du das nicht?
activity-not-me-text = Wo nur das Passwort falsch war, kam niemand hinein, und es ist nichts zu tun. Sonst kennt vielleicht jemand dein Passwort.
activity-not-me-button = Passwort ändern
proof-password = Passwort
proof-app-code = App-Code
proof-recovery-code = Notfallcode
proof-mailed-code = Code per E-Mail
refused-wrong-password = Nicht eingelassen: falsches Passwort
refused-password-off = Nicht eingelassen: Passwort ist abgeschaltet
refused-wrong-code = Nicht eingelassen: richtiges Passwort, falscher Code
refused-too-many = Nicht eingelassen: zu viele Versuche
refused-change-required = Nicht eingelassen: erst war ein neues Passwort nötig
refused-given-up = Nicht eingelassen: richtiges Passwort, kein Code

delete-title = Konto löschen
delete-wait = Wir warten { $shown } Tage, bevor wir es löschen, und schreiben dir jetzt. Bis dahin kannst du es anhalten.
delete-effect = Was dann gelöscht ist, lässt sich nicht zurückholen: dein Konto, seine Adressen, Anmeldungen und Nachrichten.
delete-submit = Konto in { $shown } Tagen löschen
delete-planned-title = Dein Konto wird gelöscht
delete-planned-text = So hast du es gewollt. Am { $day } löschen wir dein Konto mit allem, was dazugehört.
delete-stop = Mein Konto behalten

step-up-title = Zeig, dass du es bist
step-up-for-password = Bevor du dein Passwort änderst, zeig bitte noch einmal, dass das Konto dir gehört.
step-up-for-address = Bevor du deine Adresse änderst, zeig bitte noch einmal, dass das Konto dir gehört.
step-up-for-app = Bevor du änderst, wie du dich anmeldest, zeig bitte noch einmal, dass das Konto dir gehört.
step-up-for-recovery-codes = Bevor du neue Notfallcodes machst, zeig bitte noch einmal, dass das Konto dir gehört.
step-up-for-delete = Bevor du dein Konto löschst, zeig bitte noch einmal, dass es dir gehört.
step-up-for-login = Bevor ein Programm für dich handeln darf, zeig bitte noch einmal, dass das Konto dir gehört.

## Nachricht prüfen

check-title = Nachricht prüfen
check-text = Ist eine Nachricht wirklich von uns? Jede, die wir schicken, hat eine Nummer. Gib sie ein, dazu die E-Mail-Adresse, an die die Nachricht kam, und wir sagen es dir.
check-opened-yourself = Du solltest unsere Website selbst geöffnet haben, so wie immer. Wenn dich eine Nachricht auf diese Seite geführt hat, verlass sie: In unseren Nachrichten ist nie ein Link.
check-address-label = Deine E-Mail-Adresse
check-address-hint = Die, an die die Nachricht kam.
check-number-label = Nummer in der Nachricht
check-number-hint = Zum Beispiel K7M4-QX2P. Sie steht gegen Ende.
check-submit = Ist sie von euch?
check-no-password = Nach deinem Passwort fragen wir hier nie.
check-address-missing = Gib die E-Mail-Adresse ein, an die die Nachricht kam.
check-number-missing = Gib die Nummer aus der Nachricht ein.
check-yes-title = Ja, die ist von uns
check-yes-about = Worum es geht
check-yes-sent = Verschickt
check-yes-same = Wenn in deiner Nachricht etwas anderes steht oder sie zu einer anderen Zeit kam, ist sie nicht von uns: Dann hat jemand die Nummer abgeschrieben.
check-no-title = Nein, die ist nicht von uns
check-no-text = Wir haben diese Nummer nicht an diese Adresse geschickt. Benutze nichts aus dieser Nachricht.
check-no-typing = Falls du dich vertippt hast, prüfe sie noch einmal.
check-no-links = In unseren Nachrichten ist nie ein Link, und nie fragen wir nach einem Passwort.
check-another = Noch eine Nachricht prüfen

## Hilfe

help-title = Hilfe
help-password-title = Ich weiß mein Passwort nicht
help-password-text = Hol dir ein neues. Wir schicken einen Code an deine E-Mail-Adresse; wenn du eine Authenticator-App hast, fragen wir auch nach deren Code.
help-off-title = Ihr habt mein Passwort abgeschaltet. Warum?
help-off-text = Weil es vielleicht jemand anderes kennt: Es stand in einer Liste gestohlener Passwörter, mit deiner Adresse oder deinem Namen. Mit einem neuen Passwort kommst du wieder hinein. Wenn du das alte auch anderswo benutzt, ändere es dort ebenfalls; fang mit deiner E-Mail an.
help-code-title = Es kommt kein Code
help-code-text = Warte ein paar Minuten und sieh bei den unerwünschten Nachrichten nach. Der Code geht an die Adresse deines Kontos, das kann eine ältere von dir sein. Nur der neueste Code gilt.
help-phone-title = Ich habe mein Telefon verloren
help-phone-text = Wo wir nach dem Code aus deiner App fragen, wähle „Ich kann die App nicht benutzen“ und gib einen deiner Notfallcodes ein. Entferne dann in deinem Konto die App und richte sie auf dem neuen Telefon ein.
help-message-title = Ist diese Nachricht von euch?
help-message-text = Jede Nachricht von uns hat eine Nummer. Gib sie hier ein, und wir sagen dir, ob wir sie dir geschickt haben. In unseren Nachrichten ist nie ein Link, und nie fragen wir nach deinem Passwort.
help-sign-up-title = Ich habe noch kein Konto
help-sign-up-text = Du brauchst nur eine E-Mail-Adresse.
help-safe-title = Wie bleibt mein Konto sicher?
help-contact-title = Etwas anderes
help-contact-text = Schreib uns:

safe-title = Tipps für ein sicheres Konto
safe-lead = In die meisten Konten wird nicht eingebrochen. Jemand öffnet sie mit einem Passwort, das anderswo gestohlen wurde.
safe-unique-title = Für jede Website ein eigenes Passwort
safe-unique-text = Wenn in eine Website eingebrochen wird, probieren Diebe deren Passwörter überall sonst aus. Ein Passwort, das du nur hier benutzt, ist anderswo nichts wert, und umgekehrt.
safe-manager-title = Merk sie dir nicht selbst
safe-manager-text = Dein Browser oder Telefon kann Passwörter erfinden und behalten; ein Passwort-Manager auch. Sie merken sogar, wenn eine Website nur so aussieht wie die, die du kennst. Ein Heft zu Hause ist auch gut.
safe-mail-title = Zuerst deine E-Mail
safe-mail-text = Wer deine E-Mail liest, bekommt für fast alles neue Passwörter. Gib ihr das beste Passwort, das du hast, und einen zweiten Schritt.
safe-app-title = Ein zweiter Schritt
safe-app-text = Mit einer Authenticator-App öffnet ein gestohlenes Passwort allein nichts. Notiere die Notfallcodes und bewahre sie nicht beim Telefon auf.
safe-message-title = Nachrichten, die etwas wollen
safe-message-text = Wir schicken nie einen Link und fragen nie nach einem Passwort. Im Zweifel öffne unsere Website so wie immer und wähle „Nachricht prüfen“.
safe-device-title = Computer und Telefone
safe-device-text = Installiere, was die Updates des Herstellers bringen. Gib an fremden Geräten keine Passwörter ein, und melde dich an Geräten ab, die auch andere benutzen.

## Ein neuer Server

setup-title = Diesen Server einrichten
setup-text = Beim Start hat der Server einen Einrichtungscode ausgegeben. Er zeigt, dass dies dein Server ist.
setup-code-label = Einrichtungscode
setup-code-hint = Er steht in der Ausgabe des Servers. Ein Neustart gibt einen neuen aus.
setup-code-missing = Gib den Einrichtungscode ein.
setup-code-wrong = Das ist nicht der Code, den der Server zuletzt ausgegeben hat.
setup-account-title = Das erste Verwaltungskonto
setup-account-text = Dieses Konto darf alles. Als Nächstes kommt eine Authenticator-App; ohne sie ist es nicht zu benutzen.
setup-account-address-label = Deine E-Mail-Adresse
setup-account-password-label = Passwort
setup-account-submit = Konto anlegen

## Ein Programm möchte handeln

login-title = Darf ein Programm für dich handeln?
login-text = Ein Programm auf der Kommandozeile bittet in deinem Namen um Zugang zu { $site }.
login-code = Es zeigt diesen Code:
login-may =
    { $count ->
        [one] Eine Stunde lang darf es:
       *[other] { $shown } Stunden lang darf es:
    }
login-may-see = Konten, Datenlecks und Funde ansehen
login-may-act = auf Konten einwirken
login-may-configure = Einstellungen des Servers ändern
login-only-if = Erlaube es nur, wenn du es selbst gerade eben gestartet hast und es denselben Code zeigt.
login-approve = Erlauben
login-refuse = Ablehnen
login-approved-title = Das Programm darf weitermachen
login-approved-text = Du kannst diese Seite schließen und zur Kommandozeile zurückgehen.
login-refused-title = Das Programm bekommt nichts
login-refused-text = Wenn du es nicht gestartet hast, wollte jemand in deinem Namen handeln. Sieh nach, wo du angemeldet bist, und ändere dein Passwort.
login-gone-title = Es wartet kein Programm
login-gone-text = Es hat aufgegeben, oder die Antwort kam schon. Starte es noch einmal, wenn du es noch brauchst.

## Was nicht ging

error-reference = Nummer dieses Fehlers:
error-way-on = Zum Anfang
error-not-found-title = Hier ist nichts
error-not-found-text = Vielleicht ist die Adresse vertippt, oder was hier war, ist weg.
error-cross-site-title = Das kam von einer anderen Website
error-cross-site-text = Eine andere Website wollte in deinem Namen etwas abschicken, darum haben wir nichts getan. Wenn du es tun wolltest, tu es auf unseren eigenen Seiten.
error-not-this-way-title = So geht das nicht
error-not-this-way-text = Diese Seite lässt sich so nicht öffnen. Geh zum Anfang und versuch es von dort noch einmal.
error-unreadable-title = Das konnten wir nicht lesen
error-unreadable-text = Was dein Browser geschickt hat, war unvollständig oder zu lang, darum haben wir nichts getan. Geh zurück und versuch es noch einmal.
error-slow-down-title = Zu viele Versuche
error-slow-down-text =
    { $count ->
        [one] Von dort, wo du bist, kamen zu viele Versuche. Warte eine Minute und öffne diese Seite dann noch einmal.
       *[other] Von dort, wo du bist, kamen zu viele Versuche. Warte { $shown } Minuten und öffne diese Seite dann noch einmal.
    }
error-too-busy-title = Einen Moment, bitte
error-too-busy-text = Wir haben gerade zu viel zu tun. Warte ein paar Sekunden und öffne diese Seite dann noch einmal.
error-went-wrong-title = Etwas ist schiefgegangen
error-went-wrong-text = Das liegt an uns, nicht an dir. Versuch es in einer Minute noch einmal. Wenn es wieder geschieht, nenn uns die Nummer dieses Fehlers.

## Post auf diesem Rechner

dev-mailbox-title = Post auf diesem Rechner
dev-mailbox-text = Es ist kein Mailserver eingestellt, darum liegen Nachrichten hier und gehen an niemanden. Nur dieser Rechner kann diese Seite sehen.
dev-mailbox-none = Noch keine Nachricht.
dev-letter-from = Von
dev-letter-to = An
dev-letter-at = Geschrieben
