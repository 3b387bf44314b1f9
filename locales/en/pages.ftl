# What pages say, in English: the source of every other language.
#
# { $site } is the site's name and always there. Texts are plain: markup is escaped. The site speaks in the first person, to one
# person; the fact first, then why, then the one thing to do. No blame, no alarm, no exclamation marks.

## Around every page

shell-skip = Skip to the content
shell-sign-out = Sign out
shell-help = Help
shell-check = Check a message
shell-languages = Languages
# Before the title of the window, when something is wrong on the page.
shell-trouble = Not yet:

## What several pages share

identifier-label = E-mail address or user name
password-label = Password
username-label = Your account
new-password-label = New password
new-password-rules = At least { $least } characters, and not one that you use anywhere else. A few words that only you would put together are good; blanks are fine.
send-code = Send me a code
go-on = Go on
back-to-sign-in = Sign in
back-start-over = Start over
back-to-account = Your account
back-to-help = Help
back-to-dev-mailbox = Mail on this machine
change-elsewhere = If you use that password anywhere else, change it there too. Begin with your e-mail.
device-on = { $browser } on { $system }
device-unknown = Unknown browser
device-at-place = { $device }, { $place }

## What may be wrong

problem-slow-down =
    { $count ->
        [one] That was too many tries. Wait one minute, then try again.
       *[other] That was too many tries. Wait { $shown } minutes, then try again.
    }
problem-mailed-code-missing = Type the code from our message.
problem-mailed-code-wrong = That code is not right. Codes have { $characters } characters and last { $minutes } minutes, and only the newest one works.
problem-app-code-missing = Type the 6 digits that your app shows.
problem-app-code-wrong = That code is not right. Type the one that your app shows now. If it keeps failing, check that the clock of your phone is set by itself.
problem-app-code-used = That code was used already. Wait until your app shows the next one.
problem-recovery-code-missing = Type one of your recovery codes.
problem-recovery-code-wrong = That code is not right, or it was used before. Each works once; try the next one on your list.
problem-password-missing = Type your password.
problem-password-wrong = That is not your password. Check what you typed.
problem-new-password-missing = Type a new password.
problem-new-password-too-short = This is too short. It needs at least { $least } characters.
problem-new-password-too-long = This is longer than we can take. Choose one of at most { $shown } letters, fewer if they have accents.
problem-new-password-untypable = This holds a character that cannot be typed everywhere, such as a line break. Choose one without it.
problem-new-password-leaked = This password is in lists of stolen passwords, so thieves try it. Choose another one.
problem-new-password-leaked-times =
    { $count ->
        [one] This password is in lists of stolen passwords, so thieves try it. Choose another one.
       *[other] This password is in lists of stolen passwords, { $shown } times, so thieves try it. Choose another one.
    }
problem-new-password-guessable = This is easy to guess from your name, your address or the name of this site. Choose something that has nothing to do with them.
problem-new-password-same = This is the password that you have now. Choose another one.
problem-new-password-variation = This is too close to the password that you have now: whoever knows that one would guess it. Choose something quite different.
problem-address-missing = Type an e-mail address.
problem-address-not-one = This does not look like an e-mail address. They look like anna@example.com.
problem-address-same = This is the address that we have already.
problem-identifier-missing = Type your e-mail address or user name.

## Sign in

sign-in-title = Sign in
sign-in-submit = Sign in
sign-in-need-new-password = I need a new password
sign-in-sign-up = Make an account
sign-in-signed-out = You are signed out.
sign-in-session-ended = You were signed out. Please sign in again.
sign-in-first = Please sign in first.
sign-in-start-again = That took too long, or something about your account changed meanwhile. Please start again.
sign-in-incomplete = Type your name and your password.
# Wrong, unknown and turned off: one text for all.
sign-in-denied = That did not work. Check what you typed, or get a new password. If a leak made us turn yours off, a new one lets you back in.

turned-off-title = We turned off your password
turned-off-when = Someone else may know your { $site } password. So we turned it off and signed your account out everywhere, on { $when }.
turned-off-not-broken-into = { $site } itself was not broken into.
turned-off-what-to-do = With a new password you are back in. We send a code to your e-mail address first, so that we know it is you.
# An administrator did it, whatever the reason: nothing may be said of a leak.
turned-off-by-hand-when = We turned off your { $site } password and signed your account out everywhere, on { $when }.
turned-off-by-hand-what-to-do = A new one does not let you back in for now. Please write to us: we tell you why and what comes next.
leak-source-dump = It was in a list of passwords stolen from another website, together with your e-mail address or name.
leak-source-stealer = It was in a list made by harmful software that copies passwords from the computers and phones it gets onto. One that you used may have it: let somebody look at it before you type the new password there.
leak-source-ours = It may have been copied from us. We are still finding out how.

change-required-title = Your password needs changing
change-required-why = So before you go on, please choose a new one.
change-required-by-hand = Before you go on, please choose a new password.
change-required-code-by-hand = First we send a code to { $address }, so that we know it is you.
change-required-code = First we send a code to { $address }, so that we know it is you and not somebody who has the list.
change-required-no-address = We have no address of yours that is old enough to send a code to. Please write to us, and we will help you back in.
change-required-help = How to reach us

known-leaked-title = Your password is in lists of stolen ones
known-leaked-text = You are signed in. But the password that you typed is in lists of stolen passwords, so thieves try it on many sites.
known-leaked-times =
    { $count ->
        [one] You are signed in. But the password that you typed is in lists of stolen passwords, so thieves try it on many sites.
       *[other] You are signed in. But the password that you typed is in lists of stolen passwords, { $shown } times, so thieves try it on many sites.
    }
known-leaked-what-to-do = A new one takes a minute. We say this only once.
known-leaked-change = Change it now
known-leaked-go-on = Go on with this one

app-code-title = Enter the code from your app
app-code-label = Code from your app
app-code-hint = Open your authenticator app and type the 6 digits it shows for { $site }.
app-code-no-app = I cannot use the app
factor-go-on = Go on
recovery-code-title = Use a recovery code
recovery-code-label = Recovery code
recovery-code-hint = One of the codes that you noted when you added the app. Each works once.
recovery-code-back = Use the app

## A code by mail

mailed-code-title = Enter the code we sent you
mailed-code-sent = We sent a message with a code to { $address }.
mailed-code-perhaps = If “{ $identifier }” has an account here, we sent a message with a code to its e-mail address.
mailed-code-label = Code from our message
mailed-code-hint = It lasts { $minutes } minutes. The message has no link: the code is typed here, on the page that you opened.
mailed-code-sent-again = We sent another code. The earlier one no longer works.
mailed-code-nothing-came = Nothing came? Look among the unwanted messages, and give it a few minutes.
mailed-code-again = Send another code

## Make an account

sign-up-title = Make an account
sign-up-label = Your e-mail address
sign-up-hint = We send a code there. Later you sign in with this address, and we write to it when something about your account changes.

## A new password

new-password-title = Get a new password
new-password-text = Tell us which account is yours. We send a code to its e-mail address.
choose-password-title = Choose a new password
choose-password-title-sign-up = Choose a password
choose-password-submit = Use this password
choose-password-submit-sign-up = Make my account
new-password-done-title = Your new password works
new-password-done-text = The old one no longer does, and your account is signed out everywhere.
elsewhere-title = Did you use the old one elsewhere?
elsewhere-text = Thieves try a password that they know on many sites. Wherever you used the old one, or one much like it, change it too:
elsewhere-mail = Your e-mail. Whoever reads it can get into most other things.
elsewhere-money = Bank, payment, shares.
elsewhere-shops = Shops that know your card or your address.
elsewhere-people = Where people know you: chats, photos, networks.
new-password-done-submit = Sign in with it

## Your account

account-title = Your account
account-proofs-title = How you sign in
account-reach-title = How we reach you
account-happened-title = What happened
account-safe = Tips for a safe account
account-delete = Delete my account
row-password = Password
row-password-since = Set on { $day }
row-password-unknown = Set
row-app = Authenticator app
row-app-since = Since { $day }
row-app-none = None yet
row-codes = Recovery codes
row-codes-left =
    { $count ->
        [0] None left
        [one] One left
       *[other] { $shown } left
    }
row-address = E-mail address
row-address-none = None yet
row-messages = Messages we sent you
row-messages-count =
    { $count ->
        [0] None in the last 90 days
        [one] One in the last 90 days
       *[other] { $shown } in the last 90 days
    }
row-sessions = Where you are signed in
row-sessions-count =
    { $count ->
        [one] Only in this browser
       *[other] In { $shown } places
    }
row-activity = Sign-ins
row-activity-last = Last one before this: { $when }
row-activity-first = This is the first that we know of

next-nothing-title = All is well
next-nothing-text = There is nothing that you need to do.
next-password-title = Choose another password
next-password-text = The one that you have is in lists of stolen passwords, so thieves try it on many sites.
next-password-button = Change my password
next-address-title = Tell us where to reach you
next-address-text = Without an e-mail address we cannot warn you, and you cannot get a new password.
next-address-button = Add an address
next-app-title = Add an authenticator app
next-app-text = Then nobody gets in who only knows your password. It takes two minutes and a phone.
next-app-button = Add an app
next-codes-title = Make new recovery codes
next-codes-text =
    { $count ->
        [0] You have none left. Without one, a lost phone would keep you out.
        [one] You have one left. Without one, a lost phone would keep you out.
       *[other] You have { $shown } left. Without one, a lost phone would keep you out.
    }
next-codes-button = See my recovery codes
next-deletion-title = Your account will be deleted
next-deletion-text = You asked for it. On { $day } we delete it, and everything that belongs to it. Until then you can stop that.
next-deletion-button = Look at the deletion

done-account-made = Your account is ready.
done-password-changed = Your password is changed, and every other browser is signed out.
done-address-changed = Your address is changed. We wrote to the old one and the new one.
done-app-removed = The authenticator app is removed.
done-others-signed-out = Every other browser is signed out.
done-deletion-stopped = Your account stays. We will not delete it.

change-password-title = Change your password
change-password-current-label = Password you have now
change-password-effect = Every other browser and app is signed out then.
change-password-submit = Change my password

change-address-title = Change your e-mail address
change-address-now = We write to { $address } now.
change-address-both = We tell both addresses about the change.
change-address-none = We have no address of yours yet.
change-address-label = New e-mail address
change-address-hint = We send a code there, to be sure that it is yours.

enrol-app-title = Add an authenticator app
enrol-app-why = The app shows a new code every half minute. From then on you sign in with your password and that code.
enrol-app-step-open = Open an authenticator app on your phone. If you have none yet, your phone’s app store has many, and any of them will do.
enrol-app-step-scan = Add an account in the app and scan this picture.
enrol-app-qr = Picture to scan with the app
enrol-app-or-type = Or type this key into the app:
enrol-app-type = Add an account in the app and type this key into it:
enrol-app-step-code = Type the 6 digits that the app shows for { $site }.
enrol-app-submit = Turn it on

remove-app-title = Remove the authenticator app
remove-app-since = Since { $day } nobody can sign in to your account without a code from your app.
remove-app-effect = If you remove it, your password alone opens your account, and your recovery codes end too.
remove-app-new-phone = If you have a new phone, add the app there right afterwards.
remove-app-submit = Remove the app
remove-app-longer-password = For that it must have at least { $least } characters. Yours may have fewer: choose a longer one first.
remove-app-choose-password = Choose a new password

recovery-codes-title = Note your recovery codes
recovery-codes-text =
    { $count ->
        [one] If your phone is lost or broken, this code gets you in. It works once.
       *[other] If your phone is lost or broken, these { $shown } codes get you in. Each works once.
    }
recovery-codes-print-text = Recovery codes for { $site }. Each works once, in the place of the code from the authenticator app.
recovery-codes-once = We show them only now. Print this page or write them down, and keep them apart from your phone.
recovery-codes-submit = I have noted them
recovery-codes-left-title = Recovery codes
recovery-codes-left-text =
    { $count ->
        [0] You have no recovery codes left.
        [one] You have one recovery code left.
       *[other] You have { $shown } recovery codes left.
    }
recovery-codes-left-what = If your phone is lost or broken, one of them gets you in. Each works once. We cannot show them again, but you can make new ones.
recovery-codes-left-submit = Make new codes
recovery-codes-left-effect = The old ones no longer work then.

sessions-title = Where you are signed in
sessions-text = If you do not know one of these, sign it out, and then change your password.
sessions-this = This browser
sessions-signed-in = Signed in
sessions-seen = Last used
sessions-end = Sign out
sessions-end-which = Sign out { $device }
sessions-one-ended = That browser is signed out.
sessions-one-ended-next = If it was not you, whoever it was may know your password. Change it now.
sessions-others-title = Somewhere else still?
sessions-others-text = This signs your account out everywhere but here.
sessions-others-submit = Sign out everywhere else

messages-title = Messages we sent you
messages-text = What we wrote to you in the last 90 days. Our messages never have a link, and never ask for your password.
messages-none = We sent you nothing in the last 90 days.
messages-not-listed = A message of the last 90 days that is not listed here is not from us. Only what came before you had this account or address is not listed: for that, choose “Check a message”.
message-turned-off = We turned off your password
message-please-change = Please choose a new password
message-turned-on-again = We turned your password on again
message-reset-code = A code for a new password
message-sign-up-code = A code to make an account
message-sign-up-known = Somebody tried to make an account with your address
message-address-code = A code to confirm an address
message-password-changed = Your password was changed
message-address-changed = Your e-mail address was changed
message-second-factor-changed = Your authenticator app or recovery codes were changed
message-new-browser = A sign-in from a new browser
message-too-many-guesses = Many wrong passwords or codes
message-deletion-planned = Your account will be deleted
message-deletion-stopped = Your account will not be deleted
message-state-queued = Waiting
message-state-sending = Being sent
message-state-sent = Sent
message-state-failed = Could not be delivered
message-state-unknown = Perhaps delivered

activity-title = Sign-ins
activity-text = Who signed in to your account or tried to, in the last 90 days.
activity-none = Nobody signed in or tried to.
activity-signed-in = Signed in with { $proofs }
# Between what was shown: "password and app code".
activity-and = {" and "}
activity-not-me-title = Was that not you?
activity-not-me-text = Where only the password was wrong, nobody got in and there is nothing to do. Otherwise somebody may know your password.
activity-not-me-button = Change my password
proof-password = password
proof-app-code = app code
proof-recovery-code = recovery code
proof-mailed-code = code by mail
refused-wrong-password = Not let in: wrong password
refused-password-off = Not let in: the password is turned off
refused-wrong-code = Not let in: right password, wrong code
refused-too-many = Not let in: too many tries
refused-change-required = Not let in: a new password was needed first
refused-given-up = Not let in: right password, no code

delete-title = Delete your account
delete-wait = We wait { $shown } days before we delete it, and write to you now. Until then you can stop it.
delete-effect = What is deleted then cannot be brought back: your account, its addresses, its sign-ins and messages.
delete-submit = Delete my account in { $shown } days
delete-planned-title = Your account will be deleted
delete-planned-text = You asked for it. On { $day } we delete your account and everything that belongs to it.
delete-stop = Keep my account

step-up-title = Show that it is you
step-up-for-password = Before you change your password, please prove once more that you are the owner.
step-up-for-address = Before you change your address, please prove once more that you are the owner.
step-up-for-app = Before you change how you sign in, please prove once more that you are the owner.
step-up-for-recovery-codes = Before you make new recovery codes, please prove once more that you are the owner.
step-up-for-delete = Before you delete your account, please prove once more that you are the owner.
step-up-for-login = Before you let a program act for you, please prove once more that you are the owner.

## Check a message

check-title = Check a message
check-text = Is a message really from us? Every one that we send has a number. Type it, with the e-mail address that the message came to, and we tell you.
check-opened-yourself = You should have opened our site yourself, the way you always do. If a message led you to this page, leave it: our messages never have links.
check-address-label = Your e-mail address
check-address-hint = The one that the message came to.
check-number-label = Number in the message
check-number-hint = Like K7M4-QX2P. It stands near the end.
check-submit = Is it from you?
check-no-password = We never ask for your password here.
check-address-missing = Type the e-mail address that the message came to.
check-number-missing = Type the number in the message.
check-yes-title = Yes, this is from us
check-yes-about = About
check-yes-sent = Sent
check-yes-same = If your message says something else, or came at another time, it is not ours: somebody copied the number.
check-no-title = No, this is not from us
check-no-text = We did not send this number to this address. Use nothing in that message.
check-no-typing = If you may have mistyped it, check once more.
check-no-links = Our messages never have links, and never ask for a password.
check-another = Check another message

## Help

help-title = Help
help-password-title = I do not know my password
help-password-text = Get a new one. We send a code to your e-mail address; if you have an authenticator app, we ask for its code too.
help-off-title = You turned off my password. Why?
help-off-text = Because somebody else may know it: it was in a list of stolen passwords, with your address or name. A new password lets you back in. If you use the old one anywhere else, change it there too; begin with your e-mail.
help-code-title = No code comes
help-code-text = Give it a few minutes and look among the unwanted messages. The code goes to the address of your account, which may be an older one of yours. Only the newest code works.
help-phone-title = I have lost my phone
help-phone-text = Where we ask for the code from your app, choose “I cannot use the app” and type one of your recovery codes. Then remove the app in your account and add it on the new phone.
help-message-title = Is this message from you?
help-message-text = Every message of ours has a number. Type it here and we tell you whether we sent it to you. Our messages never have links, and never ask for your password.
help-sign-up-title = I have no account yet
help-sign-up-text = All that you need is an e-mail address.
help-safe-title = How do I keep my account safe?
help-contact-title = Something else
help-contact-text = Write to us:

safe-title = Tips for a safe account
safe-lead = Most accounts are not broken into. Somebody opens them with a password that was stolen elsewhere.
safe-unique-title = A password for each site
safe-unique-text = When a site is broken into, thieves try its passwords everywhere else. A password that you use only here is worth nothing anywhere else, and the other way round.
safe-manager-title = Let something else remember them
safe-manager-text = Your browser or phone can make and keep passwords; so can a password manager. They also notice when a site only looks like the one you know. A notebook at home is good too.
safe-mail-title = Your e-mail first
safe-mail-text = Whoever reads your e-mail can get new passwords for most other things. Give it the best password you have, and a second step.
safe-app-title = A second step
safe-app-text = With an authenticator app, a stolen password alone opens nothing. Note the recovery codes and keep them apart from the phone.
safe-message-title = Messages that want something
safe-message-text = We never send a link and never ask for a password. When in doubt, open our site the way you always do and choose “Check a message”.
safe-device-title = Computers and phones
safe-device-text = Install what the maker’s updates bring. Do not type passwords on machines that you do not know, and sign out on those that others use.

## A new server

setup-title = Set up this server
setup-text = The server printed a set-up code when it started. It shows that this is your server.
setup-code-label = Set-up code
setup-code-hint = It stands in the server’s output. Starting the server again prints a new one.
setup-code-missing = Type the set-up code.
setup-code-wrong = That is not the code that the server printed last.
setup-account-title = The first administrator
setup-account-text = This account may do everything. An authenticator app comes next; without one it cannot be used.
setup-account-address-label = Your e-mail address
setup-account-password-label = Password
setup-account-submit = Make this account

## A program asks to act

login-title = Let a program act for you?
login-text = A program on the command line asks for access to { $site } in your name.
login-code = It shows this code:
login-may =
    { $count ->
        [one] For one hour it may:
       *[other] For { $shown } hours it may:
    }
login-may-see = see accounts, leaks and what was found in them
login-may-act = act on accounts
login-may-configure = change settings of the server
login-only-if = Allow it only if you started it yourself just now and it shows the same code.
login-approve = Allow it
login-refuse = Refuse
login-approved-title = The program may go on
login-approved-text = You can close this page and go back to the command line.
login-refused-title = The program gets nothing
login-refused-text = If you did not start it, somebody wanted to act in your name. Look at where you are signed in, and change your password.
login-gone-title = No program is waiting
login-gone-text = It gave up, or it was answered before. Start it again if you still need it.

## What could not be done

error-reference = Number of this error:
error-way-on = Go to the start
error-not-found-title = There is nothing here
error-not-found-text = The address may be mistyped, or what was here is gone.
error-cross-site-title = That came from another site
error-cross-site-text = Another site tried to send something in your name, so we did nothing. If you meant to do it, do it from our own pages.
error-not-this-way-title = That does not work this way
error-not-this-way-text = This page cannot be opened like that. Go to the start and try again from there.
error-unreadable-title = We could not read that
error-unreadable-text = What your browser sent was incomplete or too long, so we did nothing. Go back and try again.
error-slow-down-title = Too many tries
error-slow-down-text =
    { $count ->
        [one] There were too many tries from where you are. Wait one minute, then open this page again.
       *[other] There were too many tries from where you are. Wait { $shown } minutes, then open this page again.
    }
error-too-busy-title = One moment, please
error-too-busy-text = We have too much to do right now. Wait a few seconds, then open this page again.
error-went-wrong-title = Something went wrong
error-went-wrong-text = It is our fault, not yours. Try again in a minute. If it happens again, tell us the number of this error.

## Mail on this machine

dev-mailbox-title = Mail on this machine
dev-mailbox-text = No mail server is configured, so messages lie here and go to nobody. Only this machine can see this page.
dev-mailbox-none = No message yet.
dev-letter-from = From
dev-letter-to = To
dev-letter-at = Written
