//! What the host's files find where the host has workers in processes of their own.

pub(crate) mod page {
    use crate::queue::Reach;

    /// A page that another process shares. Here that is another thread.
    #[derive(Debug, Default)]
    pub(crate) struct Page {
        reach: Reach,
    }

    impl Page {
        pub(crate) fn reach(&self) -> &Reach {
            &self.reach
        }
    }
}
