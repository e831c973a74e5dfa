//! Runs each model in every order.

/// Defines one test for each model.
macro_rules! every_order {
    ($($topic:ident: $($model:ident)*;)*) => {$(
        mod $topic {
            $(#[test]
            fn $model() {
                model_check::models::$topic::$model();
            })*
        }
    )*};
}

every_order! {
    alarm: pool_is_dropped event_occurs;
    barrier: waiting_items arriving_items lent_items with_a_retired_worker during_a_retry
        during_a_slow_item after_delivery;
    claim: stolen stolen_and_stopped given_back given_back_and_stopped;
    instance_failure: replaced retired retried;
    loan: stolen stolen_and_stopped stopped_as_it_ends borrower_fails borrower_dies hostile_borrower
        hostile_borrower_and_stop;
    overfull: only_the_earliest_runs the_earliest_comes_back;
    stop: everything during_a_claim with_a_blocked_reader from_an_item
        from_an_item_with_two_workers;
    window: one_item two_items;
}
