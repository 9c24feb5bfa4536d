;; SIMD loops over weights, on a scratch memory that src/tensor/kernels.ts lays out and fills.
;; `node scripts/gen-kernels.js` compiles this file into kernels.generated.ts; a test compares the two.
;;
;; Every count is at least 1. Kernels that store a fixed width may write past the count, so callers keep slack
;; behind the source, the channels and the target, and fill a target in ascending order.
(module
  (memory (export "memory") 5)

  ;; float32 → FLOAT16 bits, rounded half to even, for zeros and magnitudes in (2^-25, 65520).
  ;; Returns nonzero when some other value was seen (what is written for it is meaningless). Stores 8 halves at a
  ;; time. Beyond the count it reads what lies behind the source: the caller makes counts multiples of 8.
  (func (export "float16") (param $source i32) (param $target i32) (param $count i32) (result i32)
    (local $end i32)
    (local $a v128) (local $b v128)    ;; the bits of 4 floats each
    (local $ma v128) (local $mb v128)  ;; their magnitudes
    (local $pa v128) (local $pb v128)  ;; powers of two to round by
    (local $largest v128)
    (local $smallest v128)             ;; of magnitude - 1, unsigned: zero counts as the largest
    (local.set $smallest (v128.const i32x4 -1 -1 -1 -1))
    (local.set $end (i32.add (local.get $source) (i32.shl (local.get $count) (i32.const 2))))
    (loop $next
      (local.set $a (v128.load (local.get $source)))
      (local.set $b (v128.load offset=16 (local.get $source)))
      (local.set $ma (v128.and (local.get $a) (v128.const i32x4 0x7fffffff 0x7fffffff 0x7fffffff 0x7fffffff)))
      (local.set $mb (v128.and (local.get $b) (v128.const i32x4 0x7fffffff 0x7fffffff 0x7fffffff 0x7fffffff)))
      (local.set $largest
        (i32x4.max_s (local.get $largest) (i32x4.max_s (local.get $ma) (local.get $mb))))
      (local.set $smallest
        (i32x4.min_u (local.get $smallest)
          (i32x4.min_u
            (i32x4.add (local.get $ma) (v128.const i32x4 -1 -1 -1 -1))
            (i32x4.add (local.get $mb) (v128.const i32x4 -1 -1 -1 -1)))))
      ;; 2^13 times the power of two below the value, or below 2^-14 for subnormals (0x38800000; 0x06800000 is 13 in
      ;; the exponent). Its last place is that of the half, so adding it rounds the value to a half, ties to even.
      (local.set $pa
        (i32x4.add (v128.const i32x4 0x06800000 0x06800000 0x06800000 0x06800000)
          (i32x4.max_s (v128.const i32x4 0x38800000 0x38800000 0x38800000 0x38800000)
            (v128.and (local.get $ma) (v128.const i32x4 0x7f800000 0x7f800000 0x7f800000 0x7f800000)))))
      (local.set $pb
        (i32x4.add (v128.const i32x4 0x06800000 0x06800000 0x06800000 0x06800000)
          (i32x4.max_s (v128.const i32x4 0x38800000 0x38800000 0x38800000 0x38800000)
            (v128.and (local.get $mb) (v128.const i32x4 0x7f800000 0x7f800000 0x7f800000 0x7f800000)))))
      ;; The sum less the power leaves the significand, hidden bit included. To it goes the exponent of the power, less
      ;; 126 (0x3f000000: 13 from above, 112 between the biases, 1 that the hidden bit adds) and moved to bit 10.
      (v128.store (local.get $target)
        (v128.or
          (v128.and (v128.const i16x8 0x8000 0x8000 0x8000 0x8000 0x8000 0x8000 0x8000 0x8000)
            (i16x8.narrow_i32x4_s
              (i32x4.shr_s (local.get $a) (i32.const 16))
              (i32x4.shr_s (local.get $b) (i32.const 16))))
          (i16x8.narrow_i32x4_u
            (i32x4.add
              (i32x4.sub (f32x4.add (local.get $ma) (local.get $pa)) (local.get $pa))
              (i32x4.shr_u
                (i32x4.sub (local.get $pa) (v128.const i32x4 0x3f000000 0x3f000000 0x3f000000 0x3f000000))
                (i32.const 13)))
            (i32x4.add
              (i32x4.sub (f32x4.add (local.get $mb) (local.get $pb)) (local.get $pb))
              (i32x4.shr_u
                (i32x4.sub (local.get $pb) (v128.const i32x4 0x3f000000 0x3f000000 0x3f000000 0x3f000000))
                (i32.const 13))))))
      (local.set $target (i32.add (local.get $target) (i32.const 16)))
      (local.set $source (i32.add (local.get $source) (i32.const 32)))
      (br_if $next (i32.lt_u (local.get $source) (local.get $end))))
    (v128.any_true
      (v128.or
        ;; From 65520 (0x477ff000): overflow, infinity, NaN.
        (i32x4.ge_s (local.get $largest) (v128.const i32x4 0x477ff000 0x477ff000 0x477ff000 0x477ff000))
        ;; Up to 2^-25 (0x33000000): rounds to zero.
        (i32x4.lt_u (local.get $smallest) (v128.const i32x4 0x33000000 0x33000000 0x33000000 0x33000000)))))

  ;; Largest magnitude of a run, as bits.
  (func (export "maximumOfRun") (param $source i32) (param $count i32) (result i32)
    (local $end i32) (local $vectorEnd i32) (local $largest i32) (local $bits i32)
    (local $m v128) (local $n v128)
    (local.set $end (i32.add (local.get $source) (i32.shl (local.get $count) (i32.const 2))))
    (local.set $vectorEnd (i32.add (local.get $source) (i32.shl (i32.and (local.get $count) (i32.const -8)) (i32.const 2))))
    (block $tail
      (br_if $tail (i32.eq (local.get $source) (local.get $vectorEnd)))
      (loop $next
        (local.set $m
          (i32x4.max_s (local.get $m)
            (v128.and (v128.load (local.get $source))
              (v128.const i32x4 0x7fffffff 0x7fffffff 0x7fffffff 0x7fffffff))))
        (local.set $n
          (i32x4.max_s (local.get $n)
            (v128.and (v128.load offset=16 (local.get $source))
              (v128.const i32x4 0x7fffffff 0x7fffffff 0x7fffffff 0x7fffffff))))
        (local.set $source (i32.add (local.get $source) (i32.const 32)))
        (br_if $next (i32.lt_u (local.get $source) (local.get $vectorEnd)))))
    ;; The four lanes into one.
    (local.set $m (i32x4.max_s (local.get $m) (local.get $n)))
    (local.set $m
      (i32x4.max_s (local.get $m)
        (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $m) (local.get $m))))
    (local.set $m
      (i32x4.max_s (local.get $m)
        (i8x16.shuffle 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11 (local.get $m) (local.get $m))))
    (local.set $largest (i32x4.extract_lane 0 (local.get $m)))
    (block $done
      (br_if $done (i32.eq (local.get $source) (local.get $end)))
      (loop $next
        (local.set $bits (i32.and (i32.load (local.get $source)) (i32.const 0x7fffffff)))
        (local.set $largest
          (select (local.get $bits) (local.get $largest) (i32.gt_s (local.get $bits) (local.get $largest))))
        (local.set $source (i32.add (local.get $source) (i32.const 4)))
        (br_if $next (i32.lt_u (local.get $source) (local.get $end)))))
    (local.get $largest))

  ;; Raises each of $maxima, bits of magnitudes, to the magnitude of the element at its place.
  (func (export "maximaOfRow") (param $source i32) (param $maxima i32) (param $count i32)
    (local $end i32) (local $vectorEnd i32) (local $bits i32)
    (local.set $end (i32.add (local.get $source) (i32.shl (local.get $count) (i32.const 2))))
    (local.set $vectorEnd (i32.add (local.get $source) (i32.shl (i32.and (local.get $count) (i32.const -4)) (i32.const 2))))
    (block $tail
      (br_if $tail (i32.eq (local.get $source) (local.get $vectorEnd)))
      (loop $next
        (v128.store (local.get $maxima)
          (i32x4.max_s (v128.load (local.get $maxima))
            (v128.and (v128.load (local.get $source))
              (v128.const i32x4 0x7fffffff 0x7fffffff 0x7fffffff 0x7fffffff))))
        (local.set $maxima (i32.add (local.get $maxima) (i32.const 16)))
        (local.set $source (i32.add (local.get $source) (i32.const 16)))
        (br_if $next (i32.lt_u (local.get $source) (local.get $vectorEnd)))))
    (block $done
      (br_if $done (i32.eq (local.get $source) (local.get $end)))
      (loop $next
        (local.set $bits (i32.and (i32.load (local.get $source)) (i32.const 0x7fffffff)))
        (if (i32.gt_s (local.get $bits) (i32.load (local.get $maxima)))
          (then (i32.store (local.get $maxima) (local.get $bits))))
        (local.set $maxima (i32.add (local.get $maxima) (i32.const 4)))
        (local.set $source (i32.add (local.get $source) (i32.const 4)))
        (br_if $next (i32.lt_u (local.get $source) (local.get $end))))))

  ;; INT8 of x / $scale, zero point 0, for quotients below 2^22. Adding 1.5·2^23 rounds half to even and leaves the
  ;; integer in the low bits, of which the lowest 8 are kept. Stores 16 bytes at a time.
  (func (export "quantizeRun") (param $source i32) (param $target i32) (param $count i32) (param $scale f32)
    (local $end i32) (local $s v128) (local $r v128) (local $byte v128)
    (local.set $s (f32x4.splat (local.get $scale)))
    (local.set $r (v128.const f32x4 12582912 12582912 12582912 12582912))
    (local.set $byte (v128.const i32x4 0xff 0xff 0xff 0xff))
    (local.set $end (i32.add (local.get $source) (i32.shl (local.get $count) (i32.const 2))))
    (loop $next
      (v128.store (local.get $target)
        (i8x16.narrow_i16x8_u
          (i16x8.narrow_i32x4_u
            (v128.and (local.get $byte)
              (f32x4.add (f32x4.div (v128.load (local.get $source)) (local.get $s)) (local.get $r)))
            (v128.and (local.get $byte)
              (f32x4.add (f32x4.div (v128.load offset=16 (local.get $source)) (local.get $s)) (local.get $r))))
          (i16x8.narrow_i32x4_u
            (v128.and (local.get $byte)
              (f32x4.add (f32x4.div (v128.load offset=32 (local.get $source)) (local.get $s)) (local.get $r)))
            (v128.and (local.get $byte)
              (f32x4.add (f32x4.div (v128.load offset=48 (local.get $source)) (local.get $s)) (local.get $r))))))
      (local.set $target (i32.add (local.get $target) (i32.const 16)))
      (local.set $source (i32.add (local.get $source) (i32.const 64)))
      (br_if $next (i32.lt_u (local.get $source) (local.get $end)))))

  ;; The same with a scale for each element.
  (func (export "quantizeRow") (param $source i32) (param $target i32) (param $count i32) (param $scales i32)
    (local $end i32) (local $r v128) (local $byte v128)
    (local.set $r (v128.const f32x4 12582912 12582912 12582912 12582912))
    (local.set $byte (v128.const i32x4 0xff 0xff 0xff 0xff))
    (local.set $end (i32.add (local.get $source) (i32.shl (local.get $count) (i32.const 2))))
    (loop $next
      (v128.store (local.get $target)
        (i8x16.narrow_i16x8_u
          (i16x8.narrow_i32x4_u
            (v128.and (local.get $byte)
              (f32x4.add (local.get $r)
                (f32x4.div (v128.load (local.get $source)) (v128.load (local.get $scales)))))
            (v128.and (local.get $byte)
              (f32x4.add (local.get $r)
                (f32x4.div (v128.load offset=16 (local.get $source)) (v128.load offset=16 (local.get $scales))))))
          (i16x8.narrow_i32x4_u
            (v128.and (local.get $byte)
              (f32x4.add (local.get $r)
                (f32x4.div (v128.load offset=32 (local.get $source)) (v128.load offset=32 (local.get $scales)))))
            (v128.and (local.get $byte)
              (f32x4.add (local.get $r)
                (f32x4.div (v128.load offset=48 (local.get $source)) (v128.load offset=48 (local.get $scales))))))))
      (local.set $target (i32.add (local.get $target) (i32.const 16)))
      (local.set $scales (i32.add (local.get $scales) (i32.const 64)))
      (local.set $source (i32.add (local.get $source) (i32.const 64)))
      (br_if $next (i32.lt_u (local.get $source) (local.get $end))))))
