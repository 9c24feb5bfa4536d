;; SIMD loops over blocks of weights, four outputs at a time, on a scratch memory that src/quantize/nbits/block-kernels.ts lays out.
;; `node scripts/gen-kernels.js` compiles this file into blocks.generated.ts; a test compares the two.
(module
  (memory (export "memory") 416)

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

  ;; Quantizes one block of each of $groups groups of four outputs, [$count][4] floats a group, $stride bytes apart; groups are $groupStep
  ;; bytes apart. A weight's code is round(x * factor + before) + after, clipped to [0, 2^bits - 1].
  ;; $rounding 0: halves away from zero, zero point within; 1: the same, zero point after; 2: x / scale, halves to even.
  ;; Scales go to $scales, $scaleLane bytes from output to output and $scaleStep from group to group; without symmetry zero points, a byte
  ;; each, to $zeros, by a quarter of these. Codes go to $target, by $lane and $step, low bits first in words of 32 bits, which may write
  ;; past the block; the rest of a byte repeats the code one byte before.
  (func (export "quantize") (param $source i32) (param $stride i32) (param $count i32) (param $groups i32) (param $groupStep i32)
    (param $bits i32) (param $symmetric i32) (param $rounding i32)
    (param $scales i32) (param $scaleLane i32) (param $scaleStep i32) (param $zeros i32)
    (param $target i32) (param $lane i32) (param $step i32)
    (local $min v128) (local $max v128) (local $v v128) (local $k i32) (local $from i32)
    (local $top v128) (local $middle v128) (local $scale v128) (local $zero v128) (local $isZero v128)
    (local $factor v128) (local $before v128) (local $after v128)
    (local.set $top (f32x4.splat (f32.convert_i32_u (i32.sub (i32.shl (i32.const 1) (local.get $bits)) (i32.const 1)))))
    (local.set $middle (f32x4.splat (f32.convert_i32_u (i32.shl (i32.const 1) (i32.sub (local.get $bits) (i32.const 1))))))
    (loop $group
      ;; NaN goes through.
      (local.set $min (v128.load (local.get $source)))
      (local.set $max (local.get $min))
      (local.set $from (local.get $source))
      (local.set $k (local.get $count))
      (block $done
        (loop $next
          (local.set $k (i32.sub (local.get $k) (i32.const 1)))
          (br_if $done (i32.eqz (local.get $k)))
          (local.set $from (i32.add (local.get $from) (local.get $stride)))
          (local.set $v (v128.load (local.get $from)))
          (local.set $min (f32x4.min (local.get $min) (local.get $v)))
          (local.set $max (f32x4.max (local.get $max) (local.get $v)))
          (br $next)))
      (if (local.get $symmetric)
        (then
          ;; The extreme of larger magnitude, with its sign, becomes the smallest code. Of zeros of both signs, that of the first counts.
          (local.set $v
            (v128.bitselect (v128.load (local.get $source)) (local.get $min)
              (v128.and
                (f32x4.eq (local.get $min) (v128.const f32x4 0 0 0 0))
                (f32x4.eq (local.get $max) (v128.const f32x4 0 0 0 0)))))
          (local.set $scale
            (f32x4.div
              (v128.bitselect (local.get $max) (local.get $v)
                (f32x4.gt (f32x4.abs (local.get $max)) (f32x4.abs (local.get $min))))
              (f32x4.neg (local.get $middle))))
          ;; Infinities of both signs.
          (local.set $scale
            (v128.or (local.get $scale)
              (f32x4.ne (f32x4.add (local.get $min) (local.get $max)) (f32x4.add (local.get $min) (local.get $max)))))
          (local.set $zero (local.get $middle))
          (local.set $isZero (f32x4.eq (local.get $scale) (v128.const f32x4 0 0 0 0))))
        (else
          ;; From the least to the largest value, zero included.
          (local.set $min (f32x4.min (local.get $min) (v128.const f32x4 0 0 0 0)))
          (local.set $scale
            (f32x4.div
              (f32x4.sub (f32x4.max (local.get $max) (v128.const f32x4 0 0 0 0)) (local.get $min))
              (local.get $top)))
          (local.set $isZero (f32x4.eq (local.get $scale) (v128.const f32x4 0 0 0 0)))
          (local.set $v (f32x4.div (f32x4.neg (local.get $min)) (local.get $scale)))
          (if (i32.eq (local.get $rounding) (i32.const 2))
            (then
              (local.set $zero
                (v128.bitselect (local.get $middle) (f32x4.nearest (local.get $v)) (local.get $isZero))))
            (else
              (local.set $zero (f32x4.floor (local.get $v)))
              (local.set $zero
                (f32x4.add (local.get $zero)
                  (v128.and (v128.const f32x4 1 1 1 1)
                    (f32x4.ge (f32x4.sub (local.get $v) (local.get $zero)) (v128.const f32x4 0.5 0.5 0.5 0.5)))))
              (local.set $zero (v128.andnot (local.get $zero) (local.get $isZero)))))
          (local.set $zero
            (f32x4.pmin (local.get $top) (f32x4.pmax (v128.const f32x4 0 0 0 0) (local.get $zero))))
          (local.set $v (i32x4.trunc_sat_f32x4_s (local.get $zero)))
          (local.set $k (i32.shr_u (local.get $scaleLane) (i32.const 2)))
          (i32.store8 (local.get $zeros) (i32x4.extract_lane 0 (local.get $v)))
          (i32.store8 (i32.add (local.get $zeros) (local.get $k)) (i32x4.extract_lane 1 (local.get $v)))
          (i32.store8 (i32.add (local.get $zeros) (i32.shl (local.get $k) (i32.const 1))) (i32x4.extract_lane 2 (local.get $v)))
          (i32.store8 (i32.add (local.get $zeros) (i32.mul (local.get $k) (i32.const 3))) (i32x4.extract_lane 3 (local.get $v)))))
      (f32.store (local.get $scales) (f32x4.extract_lane 0 (local.get $scale)))
      (f32.store (i32.add (local.get $scales) (local.get $scaleLane)) (f32x4.extract_lane 1 (local.get $scale)))
      (f32.store (i32.add (local.get $scales) (i32.shl (local.get $scaleLane) (i32.const 1))) (f32x4.extract_lane 2 (local.get $scale)))
      (f32.store (i32.add (local.get $scales) (i32.mul (local.get $scaleLane) (i32.const 3))) (f32x4.extract_lane 3 (local.get $scale)))
      (local.set $factor
        (v128.andnot (f32x4.div (v128.const f32x4 1 1 1 1) (local.get $scale)) (local.get $isZero)))
      (if (i32.eq (local.get $rounding) (i32.const 2))
        (then
          (local.set $factor (v128.bitselect (v128.const f32x4 1 1 1 1) (local.get $scale) (local.get $isZero)))))
      (local.set $before (local.get $zero))
      (local.set $after (v128.const f32x4 0 0 0 0))
      (if (i32.or (i32.eq (local.get $rounding) (i32.const 1))
            (i32.and (i32.eq (local.get $rounding) (i32.const 2)) (local.get $symmetric)))
        (then
          (local.set $after (local.get $zero))
          (local.set $before (v128.const f32x4 0 0 0 0))))
      (call $encode (local.get $source) (local.get $stride) (local.get $count) (local.get $bits)
        (i32.eq (local.get $rounding) (i32.const 2)) (local.get $target) (local.get $lane)
        (local.get $factor) (local.get $before) (local.get $after) (f32x4.sub (local.get $top) (local.get $after)))
      (local.set $source (i32.add (local.get $source) (local.get $groupStep)))
      (local.set $scales (i32.add (local.get $scales) (local.get $scaleStep)))
      (local.set $zeros (i32.add (local.get $zeros) (i32.shr_u (local.get $scaleStep) (i32.const 2))))
      (local.set $target (i32.add (local.get $target) (local.get $step)))
      (local.set $groups (i32.sub (local.get $groups) (i32.const 1)))
      (br_if $group (local.get $groups))))

  ;; Codes of one block of four outputs; $most is the largest before $after is added, as -$after is the least. NaN becomes the least.
  (func $encode (param $source i32) (param $stride i32) (param $count i32) (param $bits i32) (param $divide i32)
    (param $target i32) (param $lane i32) (param $factor v128) (param $before v128) (param $after v128) (param $most v128)
    (local $k i32) (local $padded i32) (local $perByte i32) (local $shift i32) (local $at i32)
    (local $least v128) (local $lift v128) (local $x v128) (local $whole v128) (local $word v128)
    (local.set $least (f32x4.neg (local.get $after)))
    ;; 2^23 more puts a whole number into the low bits of a float.
    (local.set $lift (f32x4.add (local.get $after) (v128.const f32x4 8388608 8388608 8388608 8388608)))
    (local.set $perByte (i32.div_u (i32.const 8) (local.get $bits)))
    (local.set $padded
      (i32.and (i32.sub (i32.add (local.get $count) (local.get $perByte)) (i32.const 1)) (i32.sub (i32.const 0) (local.get $perByte))))
    (local.set $at (local.get $source))
    (loop $next
      (if (i32.ge_u (local.get $k) (local.get $count))
        (then
          (local.set $at
            (i32.add (local.get $source)
              (i32.mul (local.get $stride)
                (select (i32.sub (local.get $k) (local.get $perByte)) (i32.const 0)
                  (i32.ge_u (local.get $k) (local.get $perByte))))))))
      (local.set $x (v128.load (local.get $at)))
      (local.set $at (i32.add (local.get $at) (local.get $stride)))
      (if (local.get $divide)
        (then
          (local.set $x (f32x4.add (f32x4.div (local.get $x) (local.get $factor)) (local.get $before)))
          (local.set $x (f32x4.pmin (local.get $most) (f32x4.pmax (local.get $least) (local.get $x))))
          (local.set $x (f32x4.add (f32x4.nearest (local.get $x)) (local.get $lift))))
        (else
          (local.set $x (f32x4.add (f32x4.mul (local.get $x) (local.get $factor)) (local.get $before)))
          (local.set $x (f32x4.pmin (local.get $most) (f32x4.pmax (local.get $least) (local.get $x))))
          (local.set $whole (f32x4.trunc (local.get $x)))
          (local.set $x (f32x4.sub (local.get $x) (local.get $whole)))
          (local.set $x
            (i32x4.add
              (i32x4.sub (f32x4.add (local.get $whole) (local.get $lift))
                (f32x4.ge (local.get $x) (v128.const f32x4 0.5 0.5 0.5 0.5)))
              (f32x4.le (local.get $x) (v128.const f32x4 -0.5 -0.5 -0.5 -0.5))))))
      (local.set $word
        (v128.or (local.get $word)
          (i32x4.shl (i32x4.sub (local.get $x) (v128.const i32x4 0x4b000000 0x4b000000 0x4b000000 0x4b000000)) (local.get $shift))))
      (local.set $shift (i32.add (local.get $shift) (local.get $bits)))
      (local.set $k (i32.add (local.get $k) (i32.const 1)))
      (if (i32.or (i32.eq (local.get $shift) (i32.const 32)) (i32.eq (local.get $k) (local.get $padded)))
        (then
          (i32.store (local.get $target) (i32x4.extract_lane 0 (local.get $word)))
          (i32.store (i32.add (local.get $target) (local.get $lane)) (i32x4.extract_lane 1 (local.get $word)))
          (i32.store (i32.add (local.get $target) (i32.shl (local.get $lane) (i32.const 1)))
            (i32x4.extract_lane 2 (local.get $word)))
          (i32.store (i32.add (local.get $target) (i32.mul (local.get $lane) (i32.const 3)))
            (i32x4.extract_lane 3 (local.get $word)))
          (local.set $target (i32.add (local.get $target) (i32.const 4)))
          (local.set $word (v128.const i32x4 0 0 0 0))
          (local.set $shift (i32.const 0))))
      (br_if $next (i32.lt_u (local.get $k) (local.get $padded)))))
)
