//! Every remedy keeps the same promises: each property of this suite runs for each row of the table in
//! [`subject`], and a failure names both. The oracle is the attacker's own call: allowed before, denied
//! after, allowed again after a release; and those who are not meant go on all the time.

/// Each of these functions for each row, as a test of its own.
macro_rules! on_each_row {
    ($($property:ident),+ $(,)?) => { $(
        mod $property {
            use super::super::subject::Row;

            #[test]
            fn role_sessions() {
                super::$property(Row::RoleSessions);
            }

            #[test]
            fn one_session() {
                super::$property(Row::OneSession);
            }

            #[test]
            fn user_key() {
                super::$property(Row::UserKey);
            }

            #[test]
            fn user_session() {
                super::$property(Row::UserSession);
            }
        }
    )+ };
}

mod acts;
mod subject;

mod crash;
mod drift;
mod expiry;
mod honesty;
mod once;
mod pursuit;
mod quarantine;
mod release;
mod remade;
mod room;
mod watchdog;
