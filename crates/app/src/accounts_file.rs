//! Files of accounts: CSV or NDJSON, one account a row.
//!
//! Columns: `account,email,username,phone,password,former_passwords,created_at,groups`. Any may be absent but one that names
//! the account. `email` may be repeated, or hold a JSON array; `former_passwords` is a JSON array of hashes, `groups` a
//! JSON array or names with `;` between. Further columns are passed over and named in the report.

use std::io::{BufRead, BufReader, Read};

use rightful_core::Timestamp;
use rightful_core::identifier::{DefaultRegion, Identifier, IdentifierKind};
use rightful_crypto::password::{BareHex, FirebaseParameters, ParseHints, StoredHash};
use rightful_leaks::account::KnownName;

use crate::csv_records::{CsvRecords, Found};
use crate::moment;

/// What the columns of a file are called.
pub const COLUMNS: [&str; 8] = [
    "account",
    "email",
    "username",
    "phone",
    "password",
    "former_passwords",
    "created_at",
    "groups",
];

/// The most bytes that one row may have.
pub const MAX_ROW: usize = 1024 * 1024;

/// The most names, former passwords or groups that one account may have.
pub const MAX_LIST: usize = 64;

/// What the file does not say of itself.
#[derive(Clone, Debug, Default)]
pub struct RowHints {
    /// The kind of bare hex digits in `password`.
    pub bare_hex: Option<BareHex>,
    /// The parameters of the Firebase project that the hashes come from.
    pub firebase: Option<FirebaseParameters>,
    /// Completes telephone numbers without "+".
    pub region: Option<DefaultRegion>,
}

/// One account as the file has it: its texts taken apart and its hashes read, its names not yet judged.
#[derive(Clone, Debug)]
pub struct AccountRow {
    /// The line on which the row begins, from 1.
    pub line: u64,
    /// The id that the site gave it.
    pub account: Option<String>,
    /// Addresses, telephone numbers and user names, in the order of the columns.
    pub names: Vec<(IdentifierKind, String)>,
    /// The current password's hash.
    pub password: Option<StoredHash>,
    /// Earlier ones, as listed.
    pub former: Vec<StoredHash>,
    /// When the account was made.
    pub created_at: Option<Timestamp>,
    /// Groups that it is in.
    pub groups: Vec<String>,
}

/// A row that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The line on which the row begins, from 1.
    pub line: u64,
    /// Which column, where it was one.
    pub column: Option<&'static str>,
    /// Why, in words that hold nothing of a hash.
    pub reason: String,
}

impl Rejected {
    fn new(line: u64, column: &'static str, reason: &dyn std::fmt::Display) -> Self {
        Self {
            line,
            column: Some(column),
            reason: reason.to_string(),
        }
    }
}

/// Why a file cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum AccountsFileFault {
    /// The medium failed.
    #[error("reading the accounts failed")]
    Read(#[source] std::io::Error),
    /// No column names an account.
    #[error(
        "the first line names no column that identifies an account: it needs one of account, email, username, phone \
         (none of its {0} fields is one). A CSV file begins with a line of column names"
    )]
    NoIdentifierColumn(usize),
    /// A column that holds one value stands twice.
    #[error("the column {0:?} stands twice; only email may be repeated")]
    RepeatedColumn(&'static str),
}

/// The id by which a row's account is known: the site's, else its first name.
pub fn row_id(row: &AccountRow) -> &str {
    row.account
        .as_deref()
        .unwrap_or_else(|| row.names.first().map_or("", |(_, name)| name.as_str()))
}

impl AccountRow {
    /// Its names as identifiers.
    ///
    /// # Errors
    /// The first name that is none.
    pub fn identifiers(&self, region: Option<DefaultRegion>) -> Result<Vec<Identifier>, Rejected> {
        let read = |(kind, given): &(IdentifierKind, String)| {
            identifier(*kind, given, region).map_err(|refused| Rejected::new(self.line, kind.word(), &refused))
        };
        self.names.iter().map(read).collect()
    }

    /// Its names as a leak may spell them, also those that are no identifiers by our rules.
    pub fn known_names(&self, region: Option<DefaultRegion>) -> Vec<KnownName> {
        let known = |(kind, given): &(IdentifierKind, String)| {
            identifier(*kind, given, region).map_or_else(|_| KnownName::unruly(given), |found| KnownName::from(&found))
        };
        self.names.iter().map(known).collect()
    }
}

fn identifier(
    kind: IdentifierKind,
    given: &str,
    region: Option<DefaultRegion>,
) -> Result<Identifier, rightful_core::identifier::IdentifierRefused> {
    match kind {
        IdentifierKind::Email => Identifier::email(given),
        IdentifierKind::Username => Identifier::username(given),
        IdentifierKind::Phone => Identifier::phone(given, region),
    }
}

/// Reads a file of accounts row by row.
pub struct AccountsFile<R> {
    hints: RowHints,
    rows: Rows<R>,
    /// Columns that are not known and passed over.
    ignored: Vec<String>,
    has_password: bool,
}

enum Rows<R> {
    Csv {
        records: Box<CsvRecords<BufReader<R>>>,
        columns: Vec<Option<usize>>,
    },
    Ndjson {
        reader: BufReader<R>,
        line: u64,
        bytes: u64,
        buffer: Vec<u8>,
    },
}

impl<R: Read> AccountsFile<R> {
    /// Looks at the first byte: `{` begins NDJSON, anything else the column names of CSV. A byte order mark is passed over.
    ///
    /// # Errors
    /// When the column names identify no account, or the medium fails.
    pub fn open(source: R, hints: RowHints) -> Result<Self, AccountsFileFault> {
        let mut source = BufReader::with_capacity(1 << 18, source);
        let start = source.fill_buf().map_err(AccountsFileFault::Read)?;
        if start.starts_with(b"\xEF\xBB\xBF") {
            source.consume(3);
        }
        let start = source.fill_buf().map_err(AccountsFileFault::Read)?;
        if start.trim_ascii_start().first() == Some(&b'{') {
            let rows = Rows::Ndjson {
                reader: source,
                line: 0,
                bytes: 0,
                buffer: Vec::new(),
            };
            return Ok(Self {
                hints,
                rows,
                ignored: Vec::new(),
                has_password: true,
            });
        }
        let separator = separator(start);
        let mut records = CsvRecords::new(source, separator, MAX_ROW);
        let fields = match records.next().map_err(AccountsFileFault::Read)? {
            Found::Record => records.count(),
            Found::TooLong | Found::End => 0,
        };
        let mut columns = Vec::with_capacity(fields);
        let mut ignored = Vec::new();
        for at in 0..fields {
            let name = String::from_utf8_lossy(records.field(at)).trim().to_ascii_lowercase();
            let column = COLUMNS.iter().position(|known| *known == name);
            match column {
                Some(column) if COLUMNS[column] != "email" && columns.contains(&Some(column)) => {
                    return Err(AccountsFileFault::RepeatedColumn(COLUMNS[column]));
                }
                Some(_) => {}
                None => ignored.push(name),
            }
            columns.push(column);
        }
        if !columns.iter().flatten().any(|column| *column < 4) {
            return Err(AccountsFileFault::NoIdentifierColumn(fields));
        }
        let has_password = columns.contains(&Some(4));
        Ok(Self {
            hints,
            rows: Rows::Csv {
                records: Box::new(records),
                columns,
            },
            ignored,
            has_password,
        })
    }

    /// Columns that were passed over, as the file calls them.
    pub fn ignored_columns(&self) -> &[String] {
        &self.ignored
    }

    /// Whether the file has a column of hashes at all.
    pub fn has_password_column(&self) -> bool {
        self.has_password
    }

    /// How many bytes of the file the rows so far have.
    pub fn bytes_read(&self) -> u64 {
        match &self.rows {
            Rows::Csv { records, .. } => records.bytes(),
            Rows::Ndjson { bytes, .. } => *bytes,
        }
    }

    /// The next row; `None` at the end.
    ///
    /// # Errors
    /// When the medium fails.
    pub fn next_row(&mut self) -> Result<Option<Result<AccountRow, Rejected>>, AccountsFileFault> {
        match &mut self.rows {
            Rows::Csv { records, columns } => match records.next().map_err(AccountsFileFault::Read)? {
                Found::End => Ok(None),
                Found::TooLong => Ok(Some(Err(too_long(records.line())))),
                Found::Record => next_csv(records, columns, &self.hints).map(Some),
            },
            Rows::Ndjson {
                reader,
                line,
                bytes,
                buffer,
            } => loop {
                buffer.clear();
                let limit = MAX_ROW as u64 + 1;
                let read = reader
                    .by_ref()
                    .take(limit)
                    .read_until(b'\n', buffer)
                    .map_err(AccountsFileFault::Read)?;
                if read == 0 {
                    return Ok(None);
                }
                *line += 1;
                *bytes += read as u64;
                if read > MAX_ROW {
                    *bytes += reader.skip_until(b'\n').map_err(AccountsFileFault::Read)? as u64;
                    return Ok(Some(Err(too_long(*line))));
                }
                if !buffer.trim_ascii().is_empty() {
                    return Ok(Some(from_json(*line, buffer.trim_ascii(), &self.hints)));
                }
            },
        }
    }
}

fn too_long(line: u64) -> Rejected {
    Rejected {
        line,
        column: None,
        reason: format!("the row is longer than {MAX_ROW} bytes; is a quotation on its first line not closed?"),
    }
}

/// Whichever of the usual separators stands most often in the first line.
fn separator(start: &[u8]) -> u8 {
    let line = start.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let count = |separator: u8| line.iter().filter(|&&byte| byte == separator).count();
    [b',', b';', b'\t']
        .into_iter()
        .rev()
        .max_by_key(|&separator| count(separator))
        .unwrap_or(b',')
}

/// The row of the record that was just read.
fn next_csv<R: Read>(
    records: &mut CsvRecords<R>,
    columns: &[Option<usize>],
    hints: &RowHints,
) -> Result<Result<AccountRow, Rejected>, AccountsFileFault> {
    let (line, fields) = (records.line(), records.count());
    let mut reason = format!("it has {fields} fields, the first line has {}", columns.len());
    if fields == columns.len() && !records.is_unclosed() && !has_broken_cell(records, columns) {
        return Ok(from_csv(line, records, columns, hints));
    }
    if records.is_of_several_lines() {
        // Most likely its quotation was never meant to end lines later; those are rows of their own.
        records.give_up().map_err(AccountsFileFault::Read)?;
        reason = "a quotation begins on this line and does not end where it should".to_owned();
    }
    Ok(Err(Rejected {
        line,
        column: None,
        reason,
    }))
}

/// Whether a cell that holds one value, and no list, has a line break within: its quotation took a row along.
fn has_broken_cell<R: Read>(records: &CsvRecords<R>, columns: &[Option<usize>]) -> bool {
    let is_broken = |(at, column): (usize, &Option<usize>)| {
        let cell = records.field(at).trim_ascii();
        column.is_some() && cell.contains(&b'\n') && !cell.starts_with(b"[")
    };
    records.is_of_several_lines() && columns.iter().enumerate().any(is_broken)
}

fn from_csv<R: Read>(
    line: u64,
    records: &CsvRecords<R>,
    columns: &[Option<usize>],
    hints: &RowHints,
) -> Result<AccountRow, Rejected> {
    let mut cells = Cells::default();
    for (at, column) in columns.iter().enumerate() {
        let (Some(column), value) = (*column, records.field(at)) else {
            continue;
        };
        let value = std::str::from_utf8(value).map_err(|_| Rejected::new(line, COLUMNS[column], &"it is not UTF-8"))?;
        if value.trim().is_empty() {
            continue;
        }
        cells.set(line, column, value)?;
    }
    cells.row(line, hints)
}

/// The cells of one row as texts.
#[derive(Default)]
struct Cells {
    account: Option<String>,
    emails: Vec<String>,
    username: Option<String>,
    phone: Option<String>,
    password: Option<String>,
    former: Vec<String>,
    created_at: Option<String>,
    groups: Vec<String>,
}

impl Cells {
    fn set(&mut self, line: u64, column: usize, value: &str) -> Result<(), Rejected> {
        let one = Some(value.trim().to_owned());
        match COLUMNS[column] {
            "account" => self.account = one,
            "email" => self.emails.extend(list(line, "email", value, None)?),
            "username" => self.username = one,
            "phone" => self.phone = one,
            "password" => self.password = one,
            "former_passwords" => self.former = json_list(line, "former_passwords", value)?,
            "created_at" => self.created_at = one,
            _ => self.groups = list(line, "groups", value, Some(';'))?,
        }
        Ok(())
    }

    fn row(self, line: u64, hints: &RowHints) -> Result<AccountRow, Rejected> {
        for (column, length) in [
            ("email", self.emails.len()),
            ("former_passwords", self.former.len()),
            ("groups", self.groups.len()),
        ] {
            if length > MAX_LIST {
                return Err(Rejected::new(
                    line,
                    column,
                    &format!("it lists {length}, more than {MAX_LIST}"),
                ));
            }
        }
        let named = |kind| move |name| (kind, name);
        let names: Vec<(IdentifierKind, String)> = (self.emails.into_iter().map(named(IdentifierKind::Email)))
            .chain(self.username.map(named(IdentifierKind::Username)))
            .chain(self.phone.map(named(IdentifierKind::Phone)))
            .collect();
        if names.is_empty() && self.account.is_none() {
            return Err(Rejected {
                line,
                column: None,
                reason: "it names no account".to_owned(),
            });
        }
        let how = ParseHints {
            bare_hex: hints.bare_hex,
            firebase: hints.firebase.as_ref(),
        };
        let hash = |column, text: &String| {
            StoredHash::parse(text, &how).map_err(|refused| Rejected::new(line, column, &refused))
        };
        let password = self.password.as_ref().map(|text| hash("password", text)).transpose()?;
        let former = self
            .former
            .iter()
            .map(|text| hash("former_passwords", text))
            .collect::<Result<_, _>>()?;
        let created_at = self.created_at.as_deref().map(|text| moment(line, text)).transpose()?;
        Ok(AccountRow {
            line,
            account: self.account,
            names,
            password,
            former,
            created_at,
            groups: self.groups,
        })
    }
}

/// A JSON array of texts, or one text; with `separator`, texts with that between.
fn list(line: u64, column: &'static str, value: &str, separator: Option<char>) -> Result<Vec<String>, Rejected> {
    if value.trim_start().starts_with('[') {
        return json_list(line, column, value);
    }
    let parts: Vec<&str> = separator.map_or_else(|| vec![value], |separator| value.split(separator).collect());
    Ok(parts
        .into_iter()
        .map(|part| part.trim().to_owned())
        .filter(|part| !part.is_empty())
        .collect())
}

fn json_list(line: u64, column: &'static str, value: &str) -> Result<Vec<String>, Rejected> {
    serde_json::from_str(value).map_err(|_| Rejected::new(line, column, &"it is not a JSON array of texts"))
}

fn moment(line: u64, text: &str) -> Result<Timestamp, Rejected> {
    moment::parse(text)
        .ok_or_else(|| Rejected::new(line, "created_at", &format!("it is no time like {}", moment::FORMS)))
}

/// One account in NDJSON. Unknown members are passed over; a member that stands twice refuses the row.
#[derive(serde::Deserialize)]
struct JsonRow {
    #[serde(default)]
    account: Option<JsonScalar>,
    #[serde(default)]
    email: Option<OneOrMany>,
    #[serde(default)]
    username: Option<JsonScalar>,
    #[serde(default)]
    phone: Option<JsonScalar>,
    #[serde(default)]
    password: Option<String>,
    #[serde(default)]
    former_passwords: Option<Vec<String>>,
    #[serde(default)]
    created_at: Option<JsonScalar>,
    #[serde(default)]
    groups: Option<OneOrMany>,
}

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum JsonScalar {
    Text(String),
    Number(i64),
}

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl JsonScalar {
    fn text(self) -> Option<String> {
        let text = match self {
            Self::Text(text) => text.trim().to_owned(),
            Self::Number(number) => number.to_string(),
        };
        (!text.is_empty()).then_some(text)
    }
}

impl OneOrMany {
    fn texts(self) -> Vec<String> {
        let texts = match self {
            Self::One(text) => vec![text],
            Self::Many(texts) => texts,
        };
        texts
            .into_iter()
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
            .collect()
    }
}

fn from_json(line: u64, bytes: &[u8], hints: &RowHints) -> Result<AccountRow, Rejected> {
    let row: JsonRow = serde_json::from_slice(bytes).map_err(|error| {
        // The error's own text may quote the row, so only its kind and place are told.
        let what = if error.is_data() {
            "a member has the wrong type or stands twice"
        } else {
            "it is not JSON"
        };
        Rejected {
            line,
            column: None,
            reason: format!("{what} (at byte {})", error.column()),
        }
    })?;
    let cells = Cells {
        account: row.account.and_then(JsonScalar::text),
        emails: row.email.map(OneOrMany::texts).unwrap_or_default(),
        username: row.username.and_then(JsonScalar::text),
        phone: row.phone.and_then(JsonScalar::text),
        password: row
            .password
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty()),
        former: row.former_passwords.unwrap_or_default(),
        created_at: row.created_at.and_then(JsonScalar::text),
        groups: row.groups.map(OneOrMany::texts).unwrap_or_default(),
    };
    cells.row(line, hints)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MD5: &str = "{md5}5f4dcc3b5aa765d61d8327deb882cf99";

    fn rows(text: &str) -> Vec<Result<AccountRow, Rejected>> {
        let mut file = AccountsFile::open(text.as_bytes(), RowHints::default()).expect("a file of accounts");
        std::iter::from_fn(|| file.next_row().expect("memory does not fail")).collect()
    }

    fn only(text: &str) -> AccountRow {
        let mut rows = rows(text);
        assert_eq!(rows.len(), 1);
        rows.remove(0).expect("a good row")
    }

    #[test]
    fn columns_come_in_any_order_and_email_may_be_repeated() {
        let row = only(&format!(
            "email,PASSWORD,email,last_login,account\na@example.org,{MD5},\"[\"\"b@example.org\"\"]\",x,7\n"
        ));
        let names: Vec<&str> = row.names.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(
            (names, row.account.as_deref(), row.line),
            (vec!["a@example.org", "b@example.org"], Some("7"), 2)
        );
        assert!(row.password.is_some());
        assert_eq!(row_id(&only("email\nA@example.org\n")), "A@example.org");
    }

    #[test]
    fn ndjson_says_the_same_as_csv() {
        let row = only(&format!(
            "{{\"account\":7,\"email\":[\"a@example.org\"],\"password\":\"{MD5}\",\"former_passwords\":[\"{MD5}\"],\"created_at\":\"2026-01-02\",\"groups\":\"staff\"}}\n"
        ));
        assert_eq!(
            (row.account.as_deref(), row.former.len(), row.groups),
            (Some("7"), 1, vec!["staff".to_owned()])
        );
        assert_eq!(row.created_at, Some(Timestamp::from_micros(1_767_312_000_000_000)));
    }

    #[test]
    fn a_bad_row_is_rejected_with_its_line_and_reason_and_the_rest_goes_on() {
        let found = rows(&format!(
            "account,email,password\n1,a@example.org,{MD5}\n2,b@example.org\n3,c@example.org,hunter2\n4,,\n\"5\",d@example.org,{MD5}\n"
        ));
        let rejected: Vec<(u64, Option<&str>)> = found
            .iter()
            .filter_map(|row| row.as_ref().err())
            .map(|rejected| (rejected.line, rejected.column))
            .collect();
        assert_eq!(rejected, [(3, None), (4, Some("password"))]);
        assert_eq!(found.len(), 5);
        let shown = format!("{found:?}");
        assert!(!shown.contains("hunter2") && !shown.contains("5f4dcc3b"), "{shown}");
    }

    /// One quotation mark that was not closed took all rows after it along.
    #[test]
    fn an_unclosed_quotation_costs_its_own_row_only() {
        let many: String = (0..200_000)
            .map(|at| format!("{at},owner{at}@example.org,\n"))
            .collect();
        let few = "8,h@example.org,\n9,i@example.org,\n";
        let closed_later = format!("8,\"h@example.org\",\n9,i@example.org,{MD5}\n");
        for rest in [many.as_str(), few, &closed_later] {
            for broken in ["x,\"j@example.org,\n", "x,j@example.org,\"\n", "\"x,j@example.org,\n"] {
                let found = rows(&format!("account,email,password\n7,g@example.org,\n{broken}{rest}"));
                let rejected: Vec<u64> = found
                    .iter()
                    .filter_map(|row| row.as_ref().err())
                    .map(|row| row.line)
                    .collect();
                assert_eq!(rejected, [3], "{broken:?}");
                assert_eq!(found.len(), 2 + rest.lines().count(), "{broken:?}");
                let last = found.last().and_then(|row| row.as_ref().ok()).expect("a good row");
                assert_eq!(last.line, 3 + rest.lines().count() as u64);
            }
        }
    }

    #[test]
    fn a_json_member_that_stands_twice_refuses_the_row() {
        let found = rows("{\"email\":\"a@example.org\",\"email\":\"b@example.org\"}\nnot json\n");
        assert!(found.iter().all(Result::is_err) && found.len() == 2);
    }

    #[test]
    fn a_file_without_a_column_that_names_accounts_is_refused() {
        let refused = AccountsFile::open(&b"name,password\nx,y\n"[..], RowHints::default())
            .err()
            .expect("refused");
        // A file without a header begins with somebody's row: nothing of it is repeated.
        assert!(
            refused.to_string().contains("2 fields") && !refused.to_string().contains("password,"),
            "{refused}"
        );
    }
}
