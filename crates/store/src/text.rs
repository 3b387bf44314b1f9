//! The texts of all statements, known by name, so that tests can prepare, explain and read every one of them.

/// A statement of the store and where it may be used.
#[derive(Clone, Copy, Debug)]
pub struct Statement {
    /// The file and the name of the constant: unique.
    pub name: &'static str,
    /// One text for every engine, values as `$1`, `$2`, ….
    pub text: &'static str,
    /// Whether it is run often enough that it must find its rows through an index on every engine.
    pub hot: bool,
}

/// Declares the statements of a file: a constant for each, and the list of them all for the tests.
macro_rules! statements {
    ($($(#[$doc:meta])* $($hot:ident)? : $name:ident = $text:expr;)+) => {
        $($(#[$doc])* pub(crate) const $name: &str = $text;)+
        /// The statements of this file.
        pub(crate) const STATEMENTS: &[$crate::text::Statement] = &[
            $($crate::text::Statement { name: concat!(module_path!(), "::", stringify!($name)), text: $name, hot: $crate::text::hot!($($hot)?) }),+
        ];
    };
}

/// `hot` in front of a statement, or nothing.
macro_rules! hot {
    () => {
        false
    };
    (hot) => {
        true
    };
}

/// The places of [`LIST_LEN`] values after a first one: what an `IN (…)` within a block is made of. A fixed number, because the
/// text of a statement is static and prepared once; shorter lists repeat their first value.
macro_rules! list {
    () => {
        "$2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, \
         $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33"
    };
}

pub(crate) use {hot, list, statements};

/// How many values a [`list!`] has.
pub(crate) const LIST_LEN: usize = 32;

/// The highest `$n` in a text: how many values it takes.
pub(crate) fn placeholders(text: &str) -> usize {
    text.split('$')
        .skip(1)
        .filter_map(|rest| {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            rest[..digits].parse::<usize>().ok()
        })
        .max()
        .unwrap_or(0)
}

/// A statement over many rows of values at once: an insert, or a look-up of many keys.
///
/// The text for a number of rows is `before`, the row so many times, `after`; it holds nothing but these static parts. Values
/// are bound row by row, then those of `after`.
#[derive(Clone, Copy, Debug)]
pub struct Many {
    /// The file and the name of the constant: unique.
    pub name: &'static str,
    /// What stands before the rows.
    pub before: &'static str,
    /// One row, each value as `?`.
    pub row: &'static str,
    /// What stands after the rows, its values as `?` too.
    pub after: &'static str,
}

/// Declares the statements over many rows of a file, as [`statements!`] does for the others.
macro_rules! many {
    ($($(#[$doc:meta])* $name:ident = $before:expr, $row:expr, $after:expr;)+) => {
        $($(#[$doc])* pub(crate) const $name: $crate::text::Many =
            $crate::text::Many { name: concat!(module_path!(), "::", stringify!($name)), before: $before, row: $row, after: $after };)+
        /// The statements over many rows of this file.
        pub(crate) const MANY: &[$crate::text::Many] = &[$($name),+];
    };
}

pub(crate) use many;

/// The numbers of rows for which a text is made. A list of any length is cut into these, so that few statements are
/// prepared; 256 rows are past the point where the cost of a statement shows.
pub(crate) const ROWS_AT_ONCE: [usize; 5] = [256, 64, 16, 4, 1];

impl Many {
    /// The text for `rows` rows. `numbered` is PostgreSQL's form. SQLite finds a numbered parameter by going through all
    /// names before it, which for 256 rows costs more than the insert itself, so there the values stand in order.
    pub fn text(&self, rows: usize, numbered: bool) -> String {
        let list = vec![self.row; rows].join(", ");
        let text = format!("{} {list} {}", self.before, self.after);
        if !numbered {
            return text;
        }
        let mut parts = text.split('?');
        let first = parts.next().unwrap_or_default().to_owned();
        parts
            .zip(1..)
            .fold(first, |text, (part, number)| format!("{text}${number}{part}"))
    }

    /// How many values the text for `rows` rows takes.
    pub(crate) fn values(&self, rows: usize) -> usize {
        self.row.matches('?').count() * rows + self.after.matches('?').count()
    }
}

/// Every statement of the store, for the tests that prepare, explain and read them.
pub fn all_statements() -> Vec<Statement> {
    [
        crate::account::STATEMENTS,
        crate::audit::STATEMENTS,
        crate::authenticator::STATEMENTS,
        crate::budget::STATEMENTS,
        crate::cohort::STATEMENTS,
        crate::containment::STATEMENTS,
        crate::counter::STATEMENTS,
        crate::data_key::STATEMENTS,
        crate::exposure::STATEMENTS,
        crate::erase::STATEMENTS,
        crate::flow::STATEMENTS,
        crate::hold::STATEMENTS,
        crate::notice::STATEMENTS,
        crate::session::STATEMENTS,
        crate::sign_in::STATEMENTS,
        crate::untested::STATEMENTS,
        crate::identifier::STATEMENTS,
        crate::import::STATEMENTS,
        crate::incident::STATEMENTS,
        crate::leak::STATEMENTS,
        crate::migrate::STATEMENTS,
        crate::password::STATEMENTS,
        crate::setting::STATEMENTS,
        &crate::backup::statements(),
    ]
    .concat()
}

/// Every statement over many rows, likewise.
pub fn all_statements_over_many() -> Vec<Many> {
    [
        crate::account::MANY,
        crate::authenticator::MANY,
        crate::cohort::MANY,
        crate::exposure::MANY,
        crate::identifier::MANY,
        crate::password::MANY,
        &crate::backup::statements_over_many(),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_counted_by_their_highest_number() {
        for (text, count) in [
            ("SELECT 1", 0),
            ("a = $1 AND b = $2 AND c = $1", 2),
            ("$12", 12),
            (list!(), 33),
        ] {
            assert_eq!(placeholders(text), count, "{text}");
        }
        assert_eq!(LIST_LEN, placeholders(list!()) - 1);
    }

    #[test]
    fn a_statement_over_many_rows_has_a_value_for_each_place() {
        let insert = Many {
            name: "T",
            before: "INSERT INTO t (a, b) VALUES",
            row: "(?, ?)",
            after: "ON CONFLICT DO NOTHING",
        };
        assert_eq!(
            insert.text(2, true),
            "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4) ON CONFLICT DO NOTHING"
        );
        let select = Many {
            name: "S",
            before: "WITH w (a) AS (VALUES",
            row: "(?)",
            after: ") SELECT b FROM w WHERE b = ?",
        };
        assert_eq!(
            select.text(2, true),
            "WITH w (a) AS (VALUES ($1), ($2) ) SELECT b FROM w WHERE b = $3"
        );
        assert_eq!(select.values(2), 3);
        assert_eq!(
            insert.text(1, false),
            "INSERT INTO t (a, b) VALUES (?, ?) ON CONFLICT DO NOTHING"
        );
        assert_eq!(insert.values(2), 4);
    }
}
