;; Counts the primes up to a number: 10 becomes 4.
;;
;; This plugin needs neither an SDK nor a compiler: the host runs this text. It exports a memory,
;; `mtl_alloc`, which returns an address for an item, and `call`, which works on the item.
;;
;;   seq 5 | mtl-host run examples-plugins/wat/primes.wat
(module
  ;; 64 KiB for messages and results, then 1 MiB for an item.
  (memory (export "memory") 17)

  ;; The message of a bad item, then space for a result of at most ten digits.
  (data (i32.const 0) "not a whole number of at most 9 digits")
  (global $message_length i32 (i32.const 38))
  (global $result_end i32 (i32.const 64))

  ;; Returns the address for an item, or 0 if the item is longer than 1 MiB.
  (func (export "mtl_alloc") (param $length i32) (result i32)
    (select (i32.const 0x10000) (i32.const 0) (i32.le_u (local.get $length) (i32.const 0x100000))))

  (func (export "call") (param $item i32) (param $length i32) (result i64)
    (local $number i32)
    (local.set $number (call $parse (local.get $item) (local.get $length)))
    (if (i32.lt_s (local.get $number) (i32.const 0))
      (then
        ;; The two highest bits of a length mark a bad item.
        (return
          (call $answer
            (i32.const 0)
            (i32.or (global.get $message_length) (i32.const 0xc0000000))))))
    (call $print (call $count (local.get $number))))

  ;; Packs an address and a length into one word.
  (func $answer (param $address i32) (param $length i32) (result i64)
    (i64.or
      (i64.shl (i64.extend_i32_u (local.get $address)) (i64.const 32))
      (i64.extend_i32_u (local.get $length))))

  ;; Reads a number, or returns -1.
  (func $parse (param $at i32) (param $length i32) (result i32)
    (local $end i32) (local $digit i32) (local $number i32)
    (if (i32.gt_u (i32.sub (local.get $length) (i32.const 1)) (i32.const 8))
      (then (return (i32.const -1))))
    (local.set $end (i32.add (local.get $at) (local.get $length)))
    (loop $next
      (local.set $digit (i32.sub (i32.load8_u (local.get $at)) (i32.const 48)))
      (if (i32.gt_u (local.get $digit) (i32.const 9)) (then (return (i32.const -1))))
      (local.set $number
        (i32.add (i32.mul (local.get $number) (i32.const 10)) (local.get $digit)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $end))))
    (local.get $number))

  ;; Counts the primes from 2 to `last`.
  (func $count (param $last i32) (result i32)
    (local $number i32) (local $count i32)
    (local.set $number (i32.const 2))
    (loop $next
      (if (i32.le_u (local.get $number) (local.get $last))
        (then
          (local.set $count (i32.add (local.get $count) (call $is_prime (local.get $number))))
          (local.set $number (i32.add (local.get $number) (i32.const 1)))
          (br $next))))
    (local.get $count))

  ;; Tries all divisors up to the square root.
  (func $is_prime (param $number i32) (result i32)
    (local $divisor i32)
    (local.set $divisor (i32.const 2))
    (loop $next
      (if (i32.le_u (i32.mul (local.get $divisor) (local.get $divisor)) (local.get $number))
        (then
          (if (i32.eqz (i32.rem_u (local.get $number) (local.get $divisor)))
            (then (return (i32.const 0))))
          (local.set $divisor (i32.add (local.get $divisor) (i32.const 1)))
          (br $next))))
    (i32.const 1))

  ;; Writes the decimal digits of a number, the last one first, and returns the answer.
  (func $print (param $number i32) (result i64)
    (local $at i32)
    (local.set $at (global.get $result_end))
    (loop $next
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at)
        (i32.add (i32.rem_u (local.get $number) (i32.const 10)) (i32.const 48)))
      (local.set $number (i32.div_u (local.get $number) (i32.const 10)))
      (br_if $next (local.get $number)))
    (call $answer (local.get $at) (i32.sub (global.get $result_end) (local.get $at))))
)
