//! The macro that exports a worker from a module.

/// Exports a [`Worker`](crate::Worker) as the plugin of this crate.
///
/// Use the macro once, in a crate of the type `cdylib`. If the target is `wasm32-wasip1` or
/// `wasm32-unknown-unknown`, the host runs the module directly, and `wasm-tools component new` can
/// convert it to a component. In a native build, as under `cargo test`, the macro exports nothing.
///
/// ```
/// use mtl_plugin::{Error, Failure, Worker};
///
/// struct Upper;
///
/// impl Worker for Upper {
///     type Init = ();
///     type Item<'a> = &'a mut [u8];
///     type Output<'a> = &'a [u8];
///
///     fn init((): ()) -> Result<Self, Error> {
///         Ok(Self)
///     }
///
///     fn call<'a>(&'a mut self, item: &'a mut [u8]) -> Result<&'a [u8], Failure> {
///         item.make_ascii_uppercase();
///         Ok(item)
///     }
/// }
///
/// mtl_plugin::export!(Upper);
/// # let mut upper = mtl_plugin::testing::Instance::<Upper>::start("").unwrap();
/// # assert_eq!(upper.call("one"), Ok(Some(b"ONE".to_vec())));
/// ```
///
/// The compiler refuses a type that is not a worker:
///
/// ```compile_fail
/// struct FailedIdle;
/// mtl_plugin::export!(FailedIdle);
/// ```
#[macro_export]
macro_rules! export {
    ($worker:ty) => {
        const _: () = {
            #[cfg(target_arch = "wasm32")]
            ::std::thread_local! {
                static EXPORTS: ::core::cell::RefCell<$crate::guest::Exports<$worker>> =
                    const { ::core::cell::RefCell::new($crate::guest::Exports::new()) };
            }

            #[cfg(target_arch = "wasm32")]
            #[unsafe(link_section = "component-type:mtl-plugin")]
            #[used]
            static COMPONENT_TYPE: [u8; $crate::guest::component::COMPONENT_TYPE.len()] =
                *$crate::guest::component::COMPONENT_TYPE;

            #[cfg(target_arch = "wasm32")]
            unsafe extern "C" {
                /// Runs constructors. The linker defines this function. If no export calls this
                /// function, the linker inserts a call into each export.
                safe fn __wasm_call_ctors();
            }

            $crate::export! { @functions
                "_initialize" = initialize() -> () { __wasm_call_ctors() }
                "mtl_abi_version" = version() -> i32 { 1 }
                "mtl_alloc" = alloc(length: usize) -> usize {
                    EXPORTS.with_borrow_mut(|exports| exports.alloc(length))
                }
                "init" = init(address: usize, length: usize) -> i64 {
                    EXPORTS.with_borrow_mut(|exports| exports.init(address, length))
                }
                "after_restore" = after_restore() -> () {
                    EXPORTS.with_borrow_mut(|exports| exports.after_restore())
                }
                "call" = call(address: usize, length: usize) -> i64 {
                    EXPORTS.with_borrow_mut(|exports| exports.call(address, length))
                }
                "call_batch" = call_batch(address: usize) -> i32 {
                    EXPORTS.with_borrow_mut(|exports| exports.call_batch(address))
                }
                "finish" = finish() -> i64 {
                    EXPORTS.with_borrow_mut(|exports| exports.finish())
                }
                "cabi_realloc" = realloc(
                    old: usize, old_size: usize, align: usize, size: usize
                ) -> usize {
                    $crate::guest::realloc(old, old_size, align, size)
                }
                "mtl:plugin/worker@1.0.0#init" = component_init(
                    address: usize, length: usize
                ) -> usize {
                    EXPORTS.with_borrow_mut(|exports| exports.component_init(address, length))
                }
                "mtl:plugin/worker@1.0.0#call" = component_call(
                    address: usize, length: usize
                ) -> usize {
                    EXPORTS.with_borrow_mut(|exports| exports.component_call(address, length))
                }
                "mtl:plugin/worker@1.0.0#finish" = component_finish() -> usize {
                    EXPORTS.with_borrow_mut(|exports| exports.component_finish())
                }
            }

            // A native build only checks the type and marks it as used.
            #[cfg(not(target_arch = "wasm32"))]
            const _: $crate::guest::Exports<$worker> = $crate::guest::Exports::new();
        };
    };
    (@functions $(
        $name:literal = $function:ident($($argument:ident: $type:ty),*) -> $result:ty $body:block
    )*) => {
        $(
            #[cfg(target_arch = "wasm32")]
            #[unsafe(export_name = $name)]
            extern "C" fn $function($($argument: $type),*) -> $result $body
        )*
    };
}
