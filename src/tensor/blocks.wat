;; SIMD loops over blocks of weights, four outputs at a time, on a scratch memory that src/quantize/nbits/block-kernels.ts lays out.
;; `node scripts/gen-kernels.js` compiles this file into blocks.generated.ts; a test compares the two.
(module
  (memory (export "memory") 96)

  ;; Four rows of floats, $stride bytes apart, to [$count][4]. $count is a multiple of 4.
  (func (export "interleave") (param $source i32) (param $stride i32) (param $target i32) (param $count i32)
    (local $end i32) (local $r1 i32) (local $r2 i32) (local $r3 i32)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local $ab v128) (local $cd v128) (local $AB v128) (local $CD v128)
    (local.set $end (i32.add (local.get $source) (i32.shl (local.get $count) (i32.const 2))))
    (local.set $r1 (i32.add (local.get $source) (local.get $stride)))
    (local.set $r2 (i32.add (local.get $r1) (local.get $stride)))
    (local.set $r3 (i32.add (local.get $r2) (local.get $stride)))
    (loop $next
      (local.set $a (v128.load (local.get $source)))
      (local.set $b (v128.load (local.get $r1)))
      (local.set $c (v128.load (local.get $r2)))
      (local.set $d (v128.load (local.get $r3)))
      (local.set $ab (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $a) (local.get $b)))
      (local.set $cd (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $c) (local.get $d)))
      (local.set $AB (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $a) (local.get $b)))
      (local.set $CD (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $c) (local.get $d)))
      (v128.store (local.get $target)
        (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $ab) (local.get $cd)))
      (v128.store offset=16 (local.get $target)
        (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $ab) (local.get $cd)))
      (v128.store offset=32 (local.get $target)
        (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $AB) (local.get $CD)))
      (v128.store offset=48 (local.get $target)
        (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $AB) (local.get $CD)))
      (local.set $target (i32.add (local.get $target) (i32.const 64)))
      (local.set $source (i32.add (local.get $source) (i32.const 16)))
      (local.set $r1 (i32.add (local.get $r1) (i32.const 16)))
      (local.set $r2 (i32.add (local.get $r2) (i32.const 16)))
      (local.set $r3 (i32.add (local.get $r3) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $source) (local.get $end)))))

  ;; Smallest and largest of $count vectors, $stride bytes apart; NaN goes through. To $extremes: 4 minima, 4 maxima.
  (func (export "extremes") (param $source i32) (param $stride i32) (param $count i32) (param $extremes i32)
    (local $min v128) (local $max v128) (local $v v128)
    (local.set $min (v128.load (local.get $source)))
    (local.set $max (local.get $min))
    (block $done
      (loop $next
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $source (i32.add (local.get $source) (local.get $stride)))
        (local.set $v (v128.load (local.get $source)))
        (local.set $min (f32x4.min (local.get $min) (local.get $v)))
        (local.set $max (f32x4.max (local.get $max) (local.get $v)))
        (br $next)))
    (v128.store (local.get $extremes) (local.get $min))
    (v128.store offset=16 (local.get $extremes) (local.get $max)))

  ;; Codes of $count vectors, $bits each, low bits first, to four rows of bytes $laneStride apart, from 32-bit words.
  ;; code = round(x * factor + before) + after, clipped to [0, 2^bits - 1], with $parameters: 4 factors, 4 befores, 4 afters.
  ;; $divide 0: x * factor, halves away from zero; 1: x / factor, halves to even. The rest of a byte repeats the code one byte before.
  (func (export "encode") (param $source i32) (param $stride i32) (param $count i32) (param $bits i32)
    (param $parameters i32) (param $divide i32) (param $target i32) (param $laneStride i32)
    (local $k i32) (local $padded i32) (local $perByte i32) (local $shift i32) (local $at i32)
    (local $factor v128) (local $before v128) (local $after v128) (local $top v128)
    (local $x v128) (local $whole v128) (local $rest v128) (local $word v128)
    (local.set $factor (v128.load (local.get $parameters)))
    (local.set $before (v128.load offset=16 (local.get $parameters)))
    (local.set $after (v128.load offset=32 (local.get $parameters)))
    (local.set $top (f32x4.splat (f32.convert_i32_u (i32.sub (i32.shl (i32.const 1) (local.get $bits)) (i32.const 1)))))
    (local.set $perByte (i32.div_u (i32.const 8) (local.get $bits)))
    (local.set $padded
      (i32.and (i32.sub (i32.add (local.get $count) (local.get $perByte)) (i32.const 1)) (i32.sub (i32.const 0) (local.get $perByte))))
    (loop $next
      (local.set $at (local.get $k))
      (if (i32.ge_u (local.get $k) (local.get $count))
        (then
          (local.set $at (i32.sub (local.get $k) (local.get $perByte)))
          (if (i32.lt_s (local.get $at) (i32.const 0)) (then (local.set $at (i32.const 0))))))
      (local.set $x (v128.load (i32.add (local.get $source) (i32.mul (local.get $at) (local.get $stride)))))
      (if (local.get $divide)
        (then
          (local.set $x
            (f32x4.nearest (f32x4.add (f32x4.div (local.get $x) (local.get $factor)) (local.get $before)))))
        (else
          (local.set $x (f32x4.add (f32x4.mul (local.get $x) (local.get $factor)) (local.get $before)))
          (local.set $whole (f32x4.trunc (local.get $x)))
          (local.set $rest (f32x4.sub (local.get $x) (local.get $whole)))
          (local.set $x
            (f32x4.sub
              (f32x4.add (local.get $whole)
                (v128.and (v128.const f32x4 1 1 1 1)
                  (f32x4.ge (local.get $rest) (v128.const f32x4 0.5 0.5 0.5 0.5))))
              (v128.and (v128.const f32x4 1 1 1 1)
                (f32x4.le (local.get $rest) (v128.const f32x4 -0.5 -0.5 -0.5 -0.5)))))))
      (local.set $x
        (f32x4.min (local.get $top)
          (f32x4.max (v128.const f32x4 0 0 0 0) (f32x4.add (local.get $x) (local.get $after)))))
      (local.set $word
        (v128.or (local.get $word) (i32x4.shl (i32x4.trunc_sat_f32x4_u (local.get $x)) (local.get $shift))))
      (local.set $shift (i32.add (local.get $shift) (local.get $bits)))
      (local.set $k (i32.add (local.get $k) (i32.const 1)))
      (if (i32.or (i32.eq (local.get $shift) (i32.const 32)) (i32.eq (local.get $k) (local.get $padded)))
        (then
          (i32.store (local.get $target) (i32x4.extract_lane 0 (local.get $word)))
          (i32.store (i32.add (local.get $target) (local.get $laneStride)) (i32x4.extract_lane 1 (local.get $word)))
          (i32.store (i32.add (local.get $target) (i32.shl (local.get $laneStride) (i32.const 1)))
            (i32x4.extract_lane 2 (local.get $word)))
          (i32.store (i32.add (local.get $target) (i32.mul (local.get $laneStride) (i32.const 3)))
            (i32x4.extract_lane 3 (local.get $word)))
          (local.set $target (i32.add (local.get $target) (i32.const 4)))
          (local.set $word (v128.const i32x4 0 0 0 0))
          (local.set $shift (i32.const 0))))
      (br_if $next (i32.lt_u (local.get $k) (local.get $padded)))))
)
