//! What keeps the log, against DynamoDB as two others understand it: moto and dynalite. Each case is run with both.

mod cases;
mod database;
mod faults;

use database::Database;

/// Each case is a test with each database.
macro_rules! conformance {
    ($($case:ident)*) => {
        mod moto {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                super::cases::$case(&super::Database::moto()).await;
            })*
        }

        mod dynalite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                if let Some(database) = super::Database::dynalite().await {
                    super::cases::$case(&database).await;
                }
            })*
        }
    };
}

conformance! {
    an_item_is_put_where_none_stands
    a_put_that_is_tried_again_reads_back_as_ours
    a_put_is_seen_by_whoever_reads_after_it
    items_are_read_in_order_up_to_the_first_gap
    logs_in_one_table_do_not_see_each_other
    the_largest_items_fit_and_are_read_in_several_answers
    what_does_not_fit_is_refused
    the_lease_is_put_in_the_place_of_the_one_that_was_seen
    of_those_who_want_the_lease_one_gets_it
    two_writers_make_one_chain
    what_is_not_ours_is_named
    the_table_is_described
    a_table_that_does_not_exist_is_named
}
