;; The plugin of the campaign. The first byte of an item selects the behaviour. If that byte is a quote, as in a JSON
;; string, the second byte does. The result of any other item is the item with its ASCII letters in upper case.
;;
;;   t  executes `unreachable`          d  divides by zero       x  exits, with code 3
;;   r  calls itself for ever            m  requests a gigabyte, and traps if it does not get that
;;   p  returns an address outside its memory              l  returns a length past the end of its memory
;;   e  returns an error message outside its memory        s  never ends
;;   #  no record                        !  refused               ?  a bad item
;;   b  returns 100,000 times `B`
;;   k  takes 2 ms                       w  takes 40 ms
;;   f  traps until it was tried more often than the last digit of its number
;;
;; If the next six bytes are digits, they are the item's number. Each execution then creates a directory in the granted
;; directory, if there is a grant. Its name is the item's number and the number of the execution, in one digit (at most
;; nine). The directory is created first, so an item without a directory never started.
;;
;; In a batch, a false answer ends the batch: no later item is executed.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_create_directory"
    (func $mkdir (param i32 i32 i32) (result i32)))
  ;; Memory: 0x100 the name of a directory, 0x10000 the buffer, 0x50000 results of a batch, 0x90000 a large result.
  (memory (export "memory") 16)
  (global $attempt (mut i32) (i32.const 0))

  (func (export "mtl_alloc") (param $len i32) (result i32)
    (select (i32.const 0x10000) (i32.const 0) (i32.le_u (local.get $len) (i32.const 0x40000))))

  (func $recurse (param $depth i32) (result i32)
    (i32.add (i32.const 1) (call $recurse (i32.add (local.get $depth) (i32.const 1)))))

  (func $divide (param $by i32) (result i32) (i32.div_u (i32.const 1) (local.get $by)))

  (func $spin (loop $again (br $again)))

  (func $now (result i64)
    (drop (call $clock (i32.const 1) (i64.const 0) (i32.const 0)))
    (i64.load (i32.const 0)))

  (func $busy_wait (param $time i64) (local $end i64)
    (local.set $end (i64.add (call $now) (local.get $time)))
    (loop $again (br_if $again (i64.lt_u (call $now) (local.get $end)))))

  ;; Returns the address of the byte that selects the behaviour, or 0.
  (func $letter_address (param $ptr i32) (param $len i32) (result i32)
    (if (i32.eqz (local.get $len)) (then (return (i32.const 0))))
    (if (i32.eq (i32.load8_u (local.get $ptr)) (i32.const 0x22))
      (then
        (return
          (select (i32.add (local.get $ptr) (i32.const 1)) (i32.const 0)
            (i32.gt_u (local.get $len) (i32.const 1))))))
    (local.get $ptr))

  ;; Creates a directory for this execution, and sets $attempt to its number, or to 0 without a grant.
  (func $mark (param $digits i32) (param $end i32)
    (local $i i32) (local $errno i32)
    (global.set $attempt (i32.const 0))
    (if (i32.gt_u (i32.add (local.get $digits) (i32.const 6)) (local.get $end)) (then (return)))
    (loop $next
      (if (i32.ge_u
            (i32.sub (i32.load8_u (i32.add (local.get $digits) (local.get $i))) (i32.const 0x30))
            (i32.const 10))
        (then (return)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (i32.const 6))))
    (memory.copy (i32.const 0x100) (local.get $digits) (i32.const 6))
    (loop $again
      (global.set $attempt (i32.add (global.get $attempt) (i32.const 1)))
      (if (i32.gt_u (global.get $attempt) (i32.const 9)) (then (return)))
      (i32.store8 (i32.const 0x106) (i32.add (i32.const 0x30) (global.get $attempt)))
      (local.set $errno (call $mkdir (i32.const 3) (i32.const 0x100) (i32.const 7)))
      (br_if $again (i32.eq (local.get $errno) (i32.const 20))))
    (if (local.get $errno) (then (global.set $attempt (i32.const 0)))))

  (func $upper (param $at i32) (param $end i32) (local $byte i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $byte (i32.load8_u (local.get $at)))
        (if (i32.lt_u (i32.sub (local.get $byte) (i32.const 97)) (i32.const 26))
          (then (i32.store8 (local.get $at) (i32.sub (local.get $byte) (i32.const 32)))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next))))

  (func $is_false_answer (param $letter i32) (result i32)
    (i32.or
      (i32.eq (local.get $letter) (i32.const 0x70))
      (i32.or (i32.eq (local.get $letter) (i32.const 0x6c)) (i32.eq (local.get $letter) (i32.const 0x65)))))

  (func $call_item (export "call") (param $ptr i32) (param $len i32) (result i64)
    (local $letter i32) (local $at i32) (local $flags i32)
    (local.set $at (call $letter_address (local.get $ptr) (local.get $len)))
    (if (local.get $at)
      (then
        (local.set $letter (i32.load8_u (local.get $at)))
        (call $mark (i32.add (local.get $at) (i32.const 1)) (i32.add (local.get $ptr) (local.get $len)))))
    (if (i32.eq (local.get $letter) (i32.const 0x74)) (then (unreachable)))
    (if (i32.eq (local.get $letter) (i32.const 0x64)) (then (drop (call $divide (i32.const 0)))))
    (if (i32.eq (local.get $letter) (i32.const 0x78)) (then (call $exit (i32.const 3))))
    (if (i32.eq (local.get $letter) (i32.const 0x72)) (then (drop (call $recurse (i32.const 0)))))
    (if (i32.eq (local.get $letter) (i32.const 0x6d))
      (then
        (if (i32.eq (memory.grow (i32.const 0x4000)) (i32.const -1)) (then (unreachable)))))
    (if (i32.eq (local.get $letter) (i32.const 0x70)) (then (return (i64.const 0x110001_00000000))))
    (if (i32.eq (local.get $letter) (i32.const 0x6c)) (then (return (i64.const 0xfffff_00000002))))
    (if (i32.eq (local.get $letter) (i32.const 0x65)) (then (return (i64.const 0x100001_80000004))))
    (if (i32.eq (local.get $letter) (i32.const 0x73)) (then (call $spin)))
    (if (i32.eq (local.get $letter) (i32.const 0x62))
      (then
        (memory.fill (i32.const 0x90000) (i32.const 0x42) (i32.const 100000))
        (return (i64.or (i64.const 0x90000_00000000) (i64.const 100000)))))
    (if (i32.eq (local.get $letter) (i32.const 0x6b)) (then (call $busy_wait (i64.const 2000000))))
    (if (i32.eq (local.get $letter) (i32.const 0x77)) (then (call $busy_wait (i64.const 40000000))))
    (if (i32.and (i32.eq (local.get $letter) (i32.const 0x66)) (i32.gt_u (global.get $attempt) (i32.const 0)))
      (then
        (if (i32.le_u (global.get $attempt)
              (i32.sub (i32.load8_u (i32.const 0x105)) (i32.const 0x30)))
          (then (unreachable)))))
    (if (i32.eq (local.get $letter) (i32.const 0x23)) (then (local.set $flags (i32.const 0x40000000))))
    (if (i32.eq (local.get $letter) (i32.const 0x21)) (then (local.set $flags (i32.const 0x80000000))))
    (if (i32.eq (local.get $letter) (i32.const 0x3f)) (then (local.set $flags (i32.const 0xc0000000))))
    (if (i32.eqz (local.get $flags))
      (then (call $upper (local.get $ptr) (i32.add (local.get $ptr) (local.get $len)))))
    (i64.or
      (i64.shl (i64.extend_i32_u (local.get $ptr)) (i64.const 32))
      (i64.extend_i32_u (i32.or (local.get $len) (local.get $flags)))))

  (func (export "call_batch") (param $batch i32) (result i32)
    (local $done i32) (local $count i32) (local $items i32) (local $start i32) (local $end i32)
    (local $written i32) (local $letter i32) (local $at i32) (local $end_address i32) (local $answer i64) (local $low i32)
    (local.set $count (i32.load (local.get $batch)))
    (local.set $items
      (i32.add (i32.add (local.get $batch) (i32.const 16)) (i32.shl (local.get $count) (i32.const 2))))
    (i32.store (i32.add (local.get $batch) (i32.const 8)) (i32.const 0x50000))
    (block $over
      (loop $next
        (br_if $over (i32.ge_u (local.get $done) (local.get $count)))
        (br_if $over (i32.load (i32.add (local.get $batch) (i32.const 12))))
        ;; A large result fits only after few other results.
        (br_if $over (i32.gt_u (local.get $written) (i32.const 0x20000)))
        (local.set $end_address
          (i32.add (i32.add (local.get $batch) (i32.const 16)) (i32.shl (local.get $done) (i32.const 2))))
        (local.set $end (i32.load (local.get $end_address)))
        (local.set $letter (i32.const 0))
        (local.set $at
          (call $letter_address (i32.add (local.get $items) (local.get $start)) (i32.sub (local.get $end) (local.get $start))))
        (if (local.get $at) (then (local.set $letter (i32.load8_u (local.get $at)))))
        (local.set $answer
          (call $call_item (i32.add (local.get $items) (local.get $start)) (i32.sub (local.get $end) (local.get $start))))
        (local.set $start (local.get $end))
        (local.set $done (i32.add (local.get $done) (i32.const 1)))
        (if (call $is_false_answer (local.get $letter))
          (then
            (i32.store (local.get $end_address) (i32.const 0x3ffffff0))
            (i32.store (i32.add (local.get $batch) (i32.const 4)) (local.get $done))
            (return (i32.const 0))))
        (local.set $low (i32.wrap_i64 (local.get $answer)))
        (memory.copy
          (i32.add (i32.const 0x50000) (local.get $written))
          (i32.wrap_i64 (i64.shr_u (local.get $answer) (i64.const 32)))
          (i32.and (local.get $low) (i32.const 0x3fffffff)))
        (local.set $written (i32.add (local.get $written) (i32.and (local.get $low) (i32.const 0x3fffffff))))
        (i32.store (local.get $end_address)
          (i32.or (local.get $written) (i32.and (local.get $low) (i32.const 0xc0000000))))
        (i32.store (i32.add (local.get $batch) (i32.const 4)) (local.get $done))
        (br $next)))
    (i32.const 0))
)
