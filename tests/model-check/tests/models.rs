//! Runs each model in every order.

/// Defines one test for each model.
macro_rules! every_order {
    ($($of:ident: $($model:ident)*;)*) => {$(
        mod $of {
            $(#[test]
            fn $model() {
                model_check::models::$of::$model();
            })*
        }
    )*};
}

every_order! {
    alarm: of_a_pool_that_is_dropped of_what_it_waits_for;
    breakage: replaced retired tried_again;
    claim: shared shared_and_cut given_back given_back_and_cut;
    loan: shared shared_and_cut stopped_as_it_ends broken lost of_a_hostile_borrower
        of_a_hostile_borrower_that_is_cut;
    meeting: of_items_that_wait of_items_that_come of_items_on_loan without_one_that_retires
        while_one_is_tried_again while_one_is_dear after_results_are_out;
    overfull: only_the_earliest_goes_on the_earliest_comes_back;
    stop: of_everything during_a_claim without_the_reader from_an_item
        from_an_item_with_two_workers;
    window: of_one_item of_two_items;
}
