//! What the names of columns, JSON keys and stealer labels stand for.

use serde::{Deserialize, Serialize};

/// What a named value is. In the order in which a row is read: whose it is, what stands beside the secret, the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Role {
    Email,
    Username,
    Phone,
    /// `name`: a username unless there is a better identifier.
    Name,
    Salt,
    /// Where the secret was typed.
    Url,
    /// A plaintext, or whatever the column `password` holds.
    Password,
    /// A password's hash, by its name.
    Hash,
    /// Known and of no use to us: it tells that a line belongs to a stealer's block.
    Note,
}

impl Role {
    pub(super) fn is_identifier(self) -> bool {
        matches!(self, Self::Email | Self::Username | Self::Name | Self::Phone)
    }

    pub(super) fn is_secret(self) -> bool {
        matches!(self, Self::Password | Self::Hash)
    }
}

/// The longest name that is looked up, in letters and digits.
const LONGEST: usize = 28;

/// The role of a name as a file spells it: case, blanks, dots, dashes and underscores do not matter. `None` for all
/// others.
pub(super) fn role(name: &[u8]) -> Option<Role> {
    let mut room = [0; LONGEST];
    let name = letters(name, &mut room)?;
    whole(name).or_else(|| of_a_table(name))
}

/// The letters and digits of a name, in lower case. `None` if it holds what no name of a column has, or is too long.
fn letters<'r>(name: &[u8], room: &'r mut [u8; LONGEST]) -> Option<&'r [u8]> {
    let mut length = 0;
    for &byte in name {
        if byte.is_ascii_alphanumeric() || byte >= 0x80 {
            *room.get_mut(length)? = byte.to_ascii_lowercase();
            length += 1;
        } else if !b" _-.\"'`[]/()*".contains(&byte) {
            return None;
        }
    }
    Some(&room[..length])
}

/// Names as they are, in letters and digits, by what they stand for.
const NAMES: [(Role, &str); 9] = [
    (
        Role::Email,
        "email emails mail emailaddress emailaddr mailaddress email1 emailid eaddress emailfrom primaryemail emailprimary \
         correo correoelectronico courriel posta eposta epost mailadresse emailadresse adresseemail emaillogin loginemail \
         emailorphone emailornumber почта",
    ),
    (
        Role::Username,
        "login logins loginname loginid username usernames user userid usr uname nick nickname handle screenname account \
         accountname accountid benutzer benutzername usuario utilisateur identifiant utente usernamevalue loginusername \
         userlogin username1 username2 uid logon signin uzytkownik kullanici u53rn4m3 логин Логин",
    ),
    (Role::Name, "name fullname displayname id"),
    (
        Role::Phone,
        "phone phones phonenumber phoneno phonenum tel telephone telephonenumber mobile mobilephone mobilenumber mobileno \
         msisdn cell cellphone handy telefon telefono telefone celular gsm phone1",
    ),
    (
        Role::Password,
        "password passwords pass passwd pwd pw pswd psw pword passw passwrd passcode passphrase plaintext plain \
         plainpassword passwordplain plaintextpassword passwordplaintext cleartext clearpassword secret kennwort passwort \
         senha clave contrasena contraseña motdepasse mdp parola haslo wachtwoord sifre losenord passwordvalue \
         loginpassword userpassword upass upwd password1 p455w0rd пароль Пароль",
    ),
    (
        Role::Hash,
        "hash hashes passwordhash passhash passwdhash pwdhash pwhash hashpassword hashpass hashpwd hashedpassword \
         hashedpass passwordhashed encryptedpassword cryptedpassword encpassword passwordencrypted passworddigest digest \
         passwordmd5 md5password passmd5 md5pass md5 md5hash passwordsha1 sha1 sha1hash sha256 passwordsha256 sha512 \
         bcrypt bcrypthash ntlm nthash ntlmhash lmhash passwordbcrypt cryptpassword passwordcrypt legacypasswordhash",
    ),
    (
        Role::Salt,
        "salt passwordsalt passsalt passwdsalt pwdsalt pwsalt saltpassword hashsalt saltkey usersalt saltvalue",
    ),
    (
        Role::Url,
        "url uri urls host hostname domain site website websiteurl web link originurl actionurl origin signonrealm \
         loginuri loginurl hosturl ur1 formactionorigin targeturl resource server webaddress сайт Сайт ссылка",
    ),
    (
        Role::Note,
        "soft software application app browser storage profile browserprofile source program webbrowser client seller \
         logtools browsername profilename filledin created datecreated lastused timesused createtime",
    ),
];

/// A place of [`TABLE`]: one name, as a range of the names of its role.
#[derive(Clone, Copy)]
struct Slot {
    group: usize,
    start: usize,
    len: usize,
}

const SLOTS: usize = 1024;

/// The names hashed, made when this is compiled, because the left side of every `name:password` line is looked up.
static TABLE: [Slot; SLOTS] = {
    let mut table = [Slot {
        group: 0,
        start: 0,
        len: 0,
    }; SLOTS];
    let mut group = 0;
    while group < NAMES.len() {
        let names = NAMES[group].1.as_bytes();
        let mut start = 0;
        while start < names.len() {
            let mut end = start;
            while end < names.len() && names[end] != b' ' {
                end += 1;
            }
            let (_, rest) = names.split_at(start);
            let (name, _) = rest.split_at(end - start);
            let mut place = place_of(name);
            while table[place].len > 0 {
                place = (place + 1) % SLOTS;
            }
            table[place] = Slot {
                group,
                start,
                len: end - start,
            };
            start = end + 1;
        }
        group += 1;
    }
    table
};

/// The place of the table at which the search for a name begins.
const fn place_of(name: &[u8]) -> usize {
    let mut hash = 0xcbf2_9ce4_u32;
    let mut at = 0;
    while at < name.len() {
        hash = (hash ^ name[at] as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    (hash ^ (hash >> 15)) as usize % SLOTS
}

fn whole(name: &[u8]) -> Option<Role> {
    let mut place = place_of(name);
    loop {
        let slot = &TABLE[place];
        if slot.len == 0 {
            return None;
        }
        let (role, names) = NAMES[slot.group];
        if &names.as_bytes()[slot.start..slot.start + slot.len] == name {
            return Some(role);
        }
        place = (place + 1) % SLOTS;
    }
}

/// Names with the name of their table or of a form before them: `user_email`, `members_pass_hash`, `login_password`.
fn of_a_table(name: &[u8]) -> Option<Role> {
    const TABLES: [&str; 16] = [
        "users",
        "user",
        "usr",
        "members",
        "member",
        "customers",
        "customer",
        "clients",
        "client",
        "accounts",
        "account",
        "acct",
        "login",
        "admin",
        "person",
        "u",
    ];
    if !name.first().is_some_and(|byte| b"umcalp".contains(byte)) {
        return None;
    }
    TABLES
        .iter()
        .find_map(|table| match whole(name.strip_prefix(table.as_bytes())?)? {
            Role::Name => Some(Role::Username),
            role @ (Role::Email | Role::Username | Role::Phone | Role::Password | Role::Hash | Role::Salt) => {
                Some(role)
            }
            Role::Url | Role::Note => None,
        })
}

/// The roles that a stealer's block uses; `name` and the like are too common in plain text.
pub(super) fn label(name: &[u8]) -> Option<Role> {
    let mut room = [0; LONGEST];
    match whole(letters(name, &mut room)?)? {
        Role::Name | Role::Salt => None,
        Role::Hash => Some(Role::Password),
        role => Some(role),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(names: &[&str], expected: Option<Role>) {
        for name in names {
            assert_eq!(role(name.as_bytes()), expected, "{name}");
        }
    }

    #[test]
    fn odd_spellings_are_known() {
        check(
            &[
                "email",
                "E-Mail",
                "user_email",
                "Email Address",
                "customer.email",
                "`email`",
            ],
            Some(Role::Email),
        );
        check(
            &[
                "login",
                "User Name",
                "user_login",
                "username_value",
                "NICK",
                "members_name",
            ],
            Some(Role::Username),
        );
        check(
            &["phone", "Tel.", "MSISDN", "phone_number", "user_phone"],
            Some(Role::Phone),
        );
        check(
            &[
                "pass",
                "PASSWD",
                "user_pass",
                "Password (plaintext)",
                "login_password",
                "contraseña",
            ],
            Some(Role::Password),
        );
        check(
            &[
                "password_hash",
                "PassHash",
                "members_pass_hash",
                "encrypted_password",
                "NTLM",
            ],
            Some(Role::Hash),
        );
        check(&["salt", "members_pass_salt", "password-salt"], Some(Role::Salt));
        check(&["origin_url", "Host", "web site", "login_uri"], Some(Role::Url));
    }

    #[test]
    fn other_columns_are_not() {
        check(
            &[
                "",
                "last_login",
                "password_changed_at",
                "email_verified",
                "user_url",
                "ip",
                "passwordHint",
                "a=b",
                "created@",
            ],
            None,
        );
    }
}
