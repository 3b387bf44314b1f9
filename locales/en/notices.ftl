# The messages that we send to owners. English is the source.
#
# We speak as the site, in the first person, to one person. The fact first, then why, then the one thing to do. Short
# sentences, everyday words, no blame, no alarm, no exclamation marks. No link, ever: the site's name is written.
# After the greeting and its comma a text begins in lower case. One text is one line: Fluent keeps line breaks.
#
# What stands in “…” is a button or a title of the pages: it must read there as it does here.

hello = Hello,
hello-name = Hello { $name },

moment = { $day } { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
} { $year } at { $time } UTC

# Lines of facts under a text: when, with which browser, from where.
fact-when = When
fact-browser = With
fact-place = Near
browser-on-system = { $browser } on { $system }

# Paragraphs that several messages share.
check = Anyone can write a message like this, so do not trust it yet. At { $site }, choose “Check a message” and type your e-mail address and this number: { $number }. That page never asks for your password.
new-password = To choose a new password: open { $site } the way you always do, press “Sign in”, then “I need a new password”. This message has no link, on purpose.
was-it-you = If that was you, there is nothing to do. If it was not, someone else may know your password: open { $site } the way you always do, press “Sign in”, then “I need a new password”. This message has no link, on purpose.
code-lasts = It works once, for { $minutes } minutes. Tell it to nobody: we never ask for it on the phone or in a message.
elsewhere = If you use that password anywhere else, change it there too. Begin with your e-mail.
elsewhere-stealer = Such software takes every password that it finds. Choose new ones on a device that you trust, at other sites too. Begin with your e-mail.
not-broken-into = { $site } itself was not broken into.
finding-out = We are still finding out how it came to be there.

turned-off-subject = We turned off your { $site } password
turned-off-dump = someone else may know your { $site } password. It was in a list of passwords stolen from another website, together with this e-mail address. So on { $at } we turned it off and signed your account out everywhere.
turned-off-stealer = someone else may know your { $site } password. It was in a list that harmful software had made on a computer or phone where it was typed or saved. So on { $at } we turned it off and signed your account out everywhere.
turned-off-ours = someone else may be able to find out your { $site } password. A copy of our own records, with the scrambled form in which we keep passwords, is in other hands. So on { $at } we turned your password off and signed your account out everywhere. This did not come from anything that you did. We are still finding out how it happened.

please-change-subject = Please choose a new { $site } password
please-change-dump = someone else may be able to guess your { $site } password. One much like it, or one that you had before, was in a list of passwords stolen from another website, together with this e-mail address. We saw that on { $at }.
please-change-stealer = someone else may be able to guess your { $site } password. One much like it, or one that you had before, was in a list that harmful software had made on a computer or phone where it was typed or saved. We saw that on { $at }.
please-change-ours = someone else may be able to find out your { $site } password. A copy of our own records, with the scrambled form in which we keep passwords, is in other hands. We saw that on { $at }. This did not come from anything that you did. We are still finding out how it happened.

turned-on-again-subject = Your { $site } password works again
turned-on-again = your { $site } password works again, since { $at }. We had turned it off because someone else might have known it. We looked again and took that back. We are sorry for the trouble.
turned-on-again-next = You can sign in the way you always do. We may still ask you to choose a new password then. This message has no link, on purpose.

reset-code-subject = Your code for a new { $site } password
reset-code = someone, most likely you, asked for a new { $site } password. This is the code for it. Type it on the page that asked for it:
reset-code-not-you = If that was not you, do nothing: without this code your password stays as it is.

sign-up-code-subject = Your code to sign up at { $site }
sign-up-code = someone, most likely you, is signing up at { $site } with this e-mail address. This is the code that confirms it. Type it on the page that asked for it:
sign-up-code-not-you = If that was not you, do nothing: without this code no account is made.

sign-up-known-subject = You already have an account at { $site }
sign-up-known = someone, perhaps you, tried to sign up at { $site } with this e-mail address. You already have an account here, so no other one was made and nothing was changed.
sign-up-known-next = To get in: open { $site } the way you always do and press “Sign in”. If you no longer know your password, press “I need a new password” there. This message has no link, on purpose.

address-code-subject = Your code to confirm this address at { $site }
address-code = someone, most likely you, wants to use this e-mail address for an account at { $site }. This is the code that confirms it. Type it on the page that asked for it:
address-code-not-you = If that was not you, do nothing: without this code the address is not used.

password-changed-subject = Your { $site } password was changed
password-changed = your { $site } password was changed, and everything else that was signed in was signed out.

address-changed-old-subject = The e-mail address of your { $site } account was changed
address-changed-old = since { $at } your { $site } account has another e-mail address: { $address }. It no longer has this one. For a while we still send warnings here.
address-changed-new-subject = Your { $site } account has this e-mail address now
address-changed-new = since { $at } your { $site } account has this e-mail address. From now on we write to you here.
address-changed-not-you = If that was you, there is nothing to do. If it was not: open { $site } the way you always do, choose “Help” and tell us. This message has no link, on purpose.

app-added-subject = An authenticator app was added to your { $site } account
app-added = on { $at } an authenticator app was added to your { $site } account. From now on signing in asks for a code from it.
app-removed-subject = The authenticator app of your { $site } account was removed
app-removed = on { $at } the authenticator app of your { $site } account was removed. Signing in no longer asks for a code from it.
recovery-codes-made-subject = New recovery codes for your { $site } account
recovery-codes-made = on { $at } new recovery codes were made for your { $site } account. The old ones no longer work.
recovery-code-used-subject = A recovery code of your { $site } account was used
recovery-code-used = on { $at } a recovery code of your { $site } account was used in place of the authenticator app. It works no second time.

new-browser-subject = Your { $site } account was opened in a new browser
new-browser = someone, most likely you, signed in to your { $site } account with a browser that we had not seen there before.

too-many-guesses-subject = Many wrong passwords for your { $site } account
too-many-guesses = someone typed wrong passwords for your { $site } account, again and again, the last one on { $at }. Not one of them was right. To keep the guessing slow, we now take passwords for a while only from browsers in which you have signed in before.
too-many-guesses-next = If you can sign in, there is nothing to do. If you cannot: open { $site } the way you always do, press “Sign in”, then “I need a new password”. This message has no link, on purpose.

deletion-planned-subject = Your { $site } account will be deleted
deletion-planned = on { $at } someone, most likely you, asked us to delete your { $site } account. We will do so on { $on }. Until then everything stays as it is.
deletion-planned-next = To keep it: open { $site } the way you always do, sign in, and stop the deletion there. If it was not you who asked, someone else may know your password: press “I need a new password” first. This message has no link, on purpose.

deletion-stopped-subject = Your { $site } account stays
deletion-stopped = your { $site } account will not be deleted: that was stopped on { $at }. Nothing of it is gone.
