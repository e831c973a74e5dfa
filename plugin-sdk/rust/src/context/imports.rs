//! Declarations of the host's functions. They have the names and types of the component model's
//! canonical lowering, so a module can run directly or be converted to a component.

#[link(wasm_import_module = "mtl:plugin/context@1.0.0")]
#[expect(unsafe_code, reason = "functions of the host can only be declared in an unsafe block")]
// SAFETY: the types are the canonical lowering of `../../wit/plugin.wit`. No function writes to
// this module's memory: all take numbers, and `log` only reads the bytes of its message.
unsafe extern "C" {
    #[link_name = "worker-index"]
    pub(super) safe fn worker_index() -> u32;
    #[link_name = "worker-count"]
    pub(super) safe fn worker_count() -> u32;
    #[link_name = "argument-passing"]
    pub(super) safe fn argument_passing() -> u32;
    #[link_name = "item-format"]
    pub(super) safe fn item_format() -> u32;
    #[link_name = "result-format"]
    pub(super) safe fn result_format(format: u32);
    #[link_name = "log"]
    safe fn log_bytes(level: u32, message: *const u8, length: usize);
}

pub(super) fn log(level: u32, message: &str) {
    log_bytes(level, message.as_ptr(), message.len());
}
