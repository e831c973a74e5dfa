/** The functions of the host. The compiler leaves out functions that nothing calls. */

// @ts-ignore: decorator
@external("mtl:plugin/context@1.0.0", "worker-index")
export declare function worker_index(): u32;

// @ts-ignore: decorator
@external("mtl:plugin/context@1.0.0", "worker-count")
export declare function worker_count(): u32;

// @ts-ignore: decorator
@external("mtl:plugin/context@1.0.0", "item-format")
export declare function item_format(): u32;

// @ts-ignore: decorator
@external("mtl:plugin/context@1.0.0", "result-format")
export declare function result_format(format: u32): void;

// @ts-ignore: decorator
@external("mtl:plugin/context@1.0.0", "log")
export declare function host_log(level: u32, at: usize, length: usize): void;

/** Only `TypedWorker` calls this function, so its import tells the host that a plugin supports all values of `--args`. */
// @ts-ignore: decorator
@external("mtl:plugin/context@1.0.0", "argument-passing")
export declare function argument_passing(): u32;
