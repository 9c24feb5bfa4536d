;; SIMD loops over rows of scores in double precision, on a memory that src/tensor/softmax-rows.ts lays out and fills.
;; `node scripts/gen-kernels.js` compiles this file into softmax.generated.ts; a test compares the two.
;;
;; Every count is even and at least 2, and every place is a multiple of 8: rows of odd width end in a padding element.
(module
  (memory (export "memory") 1)

  ;; target = exp((source - shift) · scale), 0 from exponents of -708 downwards; the sum of all. Exponents must not be above
  ;; 0. By reduction to |r| ≤ ln(2)/2 and the Taylor polynomial of degree 12, even and odd terms apart.
  (func (export "exponentials")
    (param $source i32) (param $target i32) (param $count i32) (param $shift f64) (param $scale f64) (result f64)
    (local $end i32)
    (local $x v128) (local $k v128) (local $r v128) (local $q v128) (local $p v128) (local $sum v128)
    (local.set $end (i32.add (local.get $source) (i32.shl (local.get $count) (i32.const 3))))
    (loop $next
      (local.set $x
        (f64x2.max (v128.const f64x2 -708 -708)
          (f64x2.mul (f64x2.splat (local.get $scale))
            (f64x2.sub (v128.load (local.get $source)) (f64x2.splat (local.get $shift))))))
      (local.set $k
        (f64x2.nearest (f64x2.mul (local.get $x) (v128.const f64x2 1.4426950408889634 1.4426950408889634))))
      (local.set $r
        (f64x2.sub
          (f64x2.sub (local.get $x)
            (f64x2.mul (local.get $k) (v128.const f64x2 0.6931471803691238 0.6931471803691238)))
          (f64x2.mul (local.get $k) (v128.const f64x2 1.9082149292705877e-10 1.9082149292705877e-10))))
      (local.set $q (f64x2.mul (local.get $r) (local.get $r)))
      ;; Odd terms: 1, 1/3!, … 1/11!.
      (local.set $p (v128.const f64x2 2.505210838544172e-8 2.505210838544172e-8))
      (local.set $p (f64x2.add (f64x2.mul (local.get $p) (local.get $q)) (v128.const f64x2 2.7557319223985893e-6 2.7557319223985893e-6)))
      (local.set $p (f64x2.add (f64x2.mul (local.get $p) (local.get $q)) (v128.const f64x2 1.984126984126984e-4 1.984126984126984e-4)))
      (local.set $p (f64x2.add (f64x2.mul (local.get $p) (local.get $q)) (v128.const f64x2 8.333333333333333e-3 8.333333333333333e-3)))
      (local.set $p (f64x2.add (f64x2.mul (local.get $p) (local.get $q)) (v128.const f64x2 0.16666666666666666 0.16666666666666666)))
      (local.set $p (f64x2.add (f64x2.mul (local.get $p) (local.get $q)) (v128.const f64x2 1 1)))
      (local.set $p (f64x2.mul (local.get $p) (local.get $r)))
      ;; Even terms: 1, 1/2!, … 1/12!.
      (local.set $r (v128.const f64x2 2.08767569878681e-9 2.08767569878681e-9))
      (local.set $r (f64x2.add (f64x2.mul (local.get $r) (local.get $q)) (v128.const f64x2 2.755731922398589e-7 2.755731922398589e-7)))
      (local.set $r (f64x2.add (f64x2.mul (local.get $r) (local.get $q)) (v128.const f64x2 2.48015873015873e-5 2.48015873015873e-5)))
      (local.set $r (f64x2.add (f64x2.mul (local.get $r) (local.get $q)) (v128.const f64x2 1.388888888888889e-3 1.388888888888889e-3)))
      (local.set $r (f64x2.add (f64x2.mul (local.get $r) (local.get $q)) (v128.const f64x2 0.041666666666666664 0.041666666666666664)))
      (local.set $r (f64x2.add (f64x2.mul (local.get $r) (local.get $q)) (v128.const f64x2 0.5 0.5)))
      (local.set $r (f64x2.add (f64x2.mul (local.get $r) (local.get $q)) (v128.const f64x2 1 1)))
      ;; Times 2^k: k as an integer in the low bits of k + 1.5·2^52, moved into the exponent.
      (local.set $p
        (v128.and (f64x2.gt (local.get $x) (v128.const f64x2 -708 -708))
          (i64x2.add (f64x2.add (local.get $r) (local.get $p))
            (i64x2.shl
              (f64x2.add (local.get $k) (v128.const f64x2 6755399441055744 6755399441055744))
              (i32.const 52)))))
      (v128.store (local.get $target) (local.get $p))
      (local.set $sum (f64x2.add (local.get $sum) (local.get $p)))
      (local.set $target (i32.add (local.get $target) (i32.const 16)))
      (local.set $source (i32.add (local.get $source) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $source) (local.get $end))))
    (f64.add (f64x2.extract_lane 0 (local.get $sum)) (f64x2.extract_lane 1 (local.get $sum))))

  ;; Squares each element $times times, in place, at least once; the sum of all.
  (func (export "square") (param $target i32) (param $count i32) (param $times i32) (result f64)
    (local $end i32) (local $left i32) (local $p v128) (local $sum v128)
    (local.set $end (i32.add (local.get $target) (i32.shl (local.get $count) (i32.const 3))))
    (loop $next
      (local.set $p (v128.load (local.get $target)))
      (local.set $left (local.get $times))
      (loop $again
        (local.set $p (f64x2.mul (local.get $p) (local.get $p)))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br_if $again (local.get $left)))
      (v128.store (local.get $target) (local.get $p))
      (local.set $sum (f64x2.add (local.get $sum) (local.get $p)))
      (local.set $target (i32.add (local.get $target) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $target) (local.get $end))))
    (f64.add (f64x2.extract_lane 0 (local.get $sum)) (f64x2.extract_lane 1 (local.get $sum))))

  ;; How many elements are above $value; the sign bit tells that more than one equals it.
  (func (export "countAbove") (param $source i32) (param $count i32) (param $value f64) (result i32)
    (local $end i32) (local $z v128) (local $v v128) (local $above v128) (local $atLeast v128)
    (local.set $v (f64x2.splat (local.get $value)))
    (local.set $end (i32.add (local.get $source) (i32.shl (local.get $count) (i32.const 3))))
    (loop $next
      (local.set $z (v128.load (local.get $source)))
      (local.set $above (i64x2.sub (local.get $above) (f64x2.gt (local.get $z) (local.get $v))))
      (local.set $atLeast (i64x2.sub (local.get $atLeast) (f64x2.ge (local.get $z) (local.get $v))))
      (local.set $source (i32.add (local.get $source) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $source) (local.get $end))))
    (i32.or
      (i32.wrap_i64 (i64.add (i64x2.extract_lane 0 (local.get $above)) (i64x2.extract_lane 1 (local.get $above))))
      (i32.shl
        (i64.gt_u
          (i64.sub
            (i64.add (i64x2.extract_lane 0 (local.get $atLeast)) (i64x2.extract_lane 1 (local.get $atLeast)))
            (i64.add (i64x2.extract_lane 0 (local.get $above)) (i64x2.extract_lane 1 (local.get $above))))
          (i64.const 1))
        (i32.const 31))))

  ;; Sums over two rows of scores z and their exponentials e, with p = e · inverse and d = (zt - maxt) - (zs - maxs). Writes to
  ;; $out: Σ pt·d, Σ ps·d, Σ pt·(zt - maxt), Σ (pt - mean)², Σ (ps - mean)², Σ (pt - mean)(ps - mean).
  (func (export "divergences")
    (param $zt i32) (param $zs i32) (param $et i32) (param $es i32) (param $count i32)
    (param $maxt f64) (param $maxs f64) (param $inverset f64) (param $inverses f64) (param $mean f64) (param $out i32)
    (local $end i32)
    (local $pt v128) (local $ps v128) (local $u v128) (local $d v128)
    (local $a v128) (local $b v128) (local $h v128) (local $tt v128) (local $ss v128) (local $ts v128)
    (local.set $end (i32.add (local.get $zt) (i32.shl (local.get $count) (i32.const 3))))
    (loop $next
      (local.set $pt (f64x2.mul (v128.load (local.get $et)) (f64x2.splat (local.get $inverset))))
      (local.set $ps (f64x2.mul (v128.load (local.get $es)) (f64x2.splat (local.get $inverses))))
      (local.set $u (f64x2.sub (v128.load (local.get $zt)) (f64x2.splat (local.get $maxt))))
      (local.set $d
        (f64x2.sub (local.get $u) (f64x2.sub (v128.load (local.get $zs)) (f64x2.splat (local.get $maxs)))))
      (local.set $a (f64x2.add (local.get $a) (f64x2.mul (local.get $pt) (local.get $d))))
      (local.set $b (f64x2.add (local.get $b) (f64x2.mul (local.get $ps) (local.get $d))))
      (local.set $h (f64x2.add (local.get $h) (f64x2.mul (local.get $pt) (local.get $u))))
      (local.set $pt (f64x2.sub (local.get $pt) (f64x2.splat (local.get $mean))))
      (local.set $ps (f64x2.sub (local.get $ps) (f64x2.splat (local.get $mean))))
      (local.set $tt (f64x2.add (local.get $tt) (f64x2.mul (local.get $pt) (local.get $pt))))
      (local.set $ss (f64x2.add (local.get $ss) (f64x2.mul (local.get $ps) (local.get $ps))))
      (local.set $ts (f64x2.add (local.get $ts) (f64x2.mul (local.get $pt) (local.get $ps))))
      (local.set $zs (i32.add (local.get $zs) (i32.const 16)))
      (local.set $et (i32.add (local.get $et) (i32.const 16)))
      (local.set $es (i32.add (local.get $es) (i32.const 16)))
      (local.set $zt (i32.add (local.get $zt) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $zt) (local.get $end))))
    (f64.store (local.get $out)
      (f64.add (f64x2.extract_lane 0 (local.get $a)) (f64x2.extract_lane 1 (local.get $a))))
    (f64.store offset=8 (local.get $out)
      (f64.add (f64x2.extract_lane 0 (local.get $b)) (f64x2.extract_lane 1 (local.get $b))))
    (f64.store offset=16 (local.get $out)
      (f64.add (f64x2.extract_lane 0 (local.get $h)) (f64x2.extract_lane 1 (local.get $h))))
    (f64.store offset=24 (local.get $out)
      (f64.add (f64x2.extract_lane 0 (local.get $tt)) (f64x2.extract_lane 1 (local.get $tt))))
    (f64.store offset=32 (local.get $out)
      (f64.add (f64x2.extract_lane 0 (local.get $ss)) (f64x2.extract_lane 1 (local.get $ss))))
    (f64.store offset=40 (local.get $out)
      (f64.add (f64x2.extract_lane 0 (local.get $ts)) (f64x2.extract_lane 1 (local.get $ts)))))

  ;; Of the mixture m = (pt + ps) / 2: Σ |pt - ps| to $out, Σ m·ln(m) behind it. The logarithm by m = 2^e·f with f in
  ;; [√½, √2] and the series of artanh((f - 1) / (f + 1)).
  (func (export "mixture")
    (param $et i32) (param $es i32) (param $count i32) (param $inverset f64) (param $inverses f64) (param $out i32)
    (local $end i32)
    (local $pt v128) (local $ps v128) (local $m v128) (local $f v128) (local $e v128) (local $s v128) (local $q v128)
    (local $p v128) (local $over v128) (local $distance v128) (local $entropy v128)
    (local.set $end (i32.add (local.get $et) (i32.shl (local.get $count) (i32.const 3))))
    (loop $next
      (local.set $pt (f64x2.mul (v128.load (local.get $et)) (f64x2.splat (local.get $inverset))))
      (local.set $ps (f64x2.mul (v128.load (local.get $es)) (f64x2.splat (local.get $inverses))))
      (local.set $distance
        (f64x2.add (local.get $distance) (f64x2.abs (f64x2.sub (local.get $pt) (local.get $ps)))))
      (local.set $m
        (f64x2.max (v128.const f64x2 1e-300 1e-300)
          (f64x2.mul (v128.const f64x2 0.5 0.5) (f64x2.add (local.get $pt) (local.get $ps)))))
      (local.set $e
        (f64x2.sub
          (v128.or (i64x2.shr_u (local.get $m) (i32.const 52))
            (v128.const i64x2 0x4330000000000000 0x4330000000000000))
          (v128.const f64x2 4503599627371519 4503599627371519)))
      (local.set $f
        (v128.or
          (v128.and (local.get $m) (v128.const i64x2 0x000fffffffffffff 0x000fffffffffffff))
          (v128.const i64x2 0x3ff0000000000000 0x3ff0000000000000)))
      (local.set $over (f64x2.gt (local.get $f) (v128.const f64x2 1.4142135623730951 1.4142135623730951)))
      (local.set $f
        (f64x2.sub (local.get $f)
          (v128.and (local.get $over) (f64x2.mul (local.get $f) (v128.const f64x2 0.5 0.5)))))
      (local.set $e (f64x2.add (local.get $e) (v128.and (local.get $over) (v128.const f64x2 1 1))))
      (local.set $s
        (f64x2.div (f64x2.sub (local.get $f) (v128.const f64x2 1 1)) (f64x2.add (local.get $f) (v128.const f64x2 1 1))))
      (local.set $q (f64x2.mul (local.get $s) (local.get $s)))
      (local.set $p (v128.const f64x2 0.10526315789473684 0.10526315789473684))
      (local.set $p (f64x2.add (f64x2.mul (local.get $p) (local.get $q)) (v128.const f64x2 0.11764705882352941 0.11764705882352941)))
      (local.set $p (f64x2.add (f64x2.mul (local.get $p) (local.get $q)) (v128.const f64x2 0.13333333333333333 0.13333333333333333)))
      (local.set $p (f64x2.add (f64x2.mul (local.get $p) (local.get $q)) (v128.const f64x2 0.15384615384615385 0.15384615384615385)))
      (local.set $p (f64x2.add (f64x2.mul (local.get $p) (local.get $q)) (v128.const f64x2 0.18181818181818182 0.18181818181818182)))
      (local.set $p (f64x2.add (f64x2.mul (local.get $p) (local.get $q)) (v128.const f64x2 0.2222222222222222 0.2222222222222222)))
      (local.set $p (f64x2.add (f64x2.mul (local.get $p) (local.get $q)) (v128.const f64x2 0.2857142857142857 0.2857142857142857)))
      (local.set $p (f64x2.add (f64x2.mul (local.get $p) (local.get $q)) (v128.const f64x2 0.4 0.4)))
      (local.set $p (f64x2.add (f64x2.mul (local.get $p) (local.get $q)) (v128.const f64x2 0.6666666666666666 0.6666666666666666)))
      (local.set $p (f64x2.add (f64x2.mul (local.get $p) (local.get $q)) (v128.const f64x2 2 2)))
      (local.set $entropy
        (f64x2.add (local.get $entropy)
          (f64x2.mul (local.get $m)
            (f64x2.add
              (f64x2.mul (local.get $e) (v128.const f64x2 0.6931471803691238 0.6931471803691238))
              (f64x2.add (f64x2.mul (local.get $s) (local.get $p))
                (f64x2.mul (local.get $e) (v128.const f64x2 1.9082149292705877e-10 1.9082149292705877e-10)))))))
      (local.set $es (i32.add (local.get $es) (i32.const 16)))
      (local.set $et (i32.add (local.get $et) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $et) (local.get $end))))
    (f64.store (local.get $out)
      (f64.add (f64x2.extract_lane 0 (local.get $distance)) (f64x2.extract_lane 1 (local.get $distance))))
    (f64.store offset=8 (local.get $out)
      (f64.add (f64x2.extract_lane 0 (local.get $entropy)) (f64x2.extract_lane 1 (local.get $entropy)))))

  ;; Adds a row to five sums for each class, $stride bytes apart: of a = pt - mean, b = ps - mean, a², b², a·b.
  (func (export "classSums")
    (param $et i32) (param $es i32) (param $count i32) (param $inverset f64) (param $inverses f64) (param $mean f64)
    (param $sums i32) (param $stride i32)
    (local $end i32) (local $a v128) (local $b v128) (local $at i32)
    (local.set $end (i32.add (local.get $et) (i32.shl (local.get $count) (i32.const 3))))
    (loop $next
      (local.set $a
        (f64x2.sub (f64x2.mul (v128.load (local.get $et)) (f64x2.splat (local.get $inverset)))
          (f64x2.splat (local.get $mean))))
      (local.set $b
        (f64x2.sub (f64x2.mul (v128.load (local.get $es)) (f64x2.splat (local.get $inverses)))
          (f64x2.splat (local.get $mean))))
      (local.set $at (local.get $sums))
      (v128.store (local.get $at) (f64x2.add (v128.load (local.get $at)) (local.get $a)))
      (local.set $at (i32.add (local.get $at) (local.get $stride)))
      (v128.store (local.get $at) (f64x2.add (v128.load (local.get $at)) (local.get $b)))
      (local.set $at (i32.add (local.get $at) (local.get $stride)))
      (v128.store (local.get $at) (f64x2.add (v128.load (local.get $at)) (f64x2.mul (local.get $a) (local.get $a))))
      (local.set $at (i32.add (local.get $at) (local.get $stride)))
      (v128.store (local.get $at) (f64x2.add (v128.load (local.get $at)) (f64x2.mul (local.get $b) (local.get $b))))
      (local.set $at (i32.add (local.get $at) (local.get $stride)))
      (v128.store (local.get $at) (f64x2.add (v128.load (local.get $at)) (f64x2.mul (local.get $a) (local.get $b))))
      (local.set $sums (i32.add (local.get $sums) (i32.const 16)))
      (local.set $es (i32.add (local.get $es) (i32.const 16)))
      (local.set $et (i32.add (local.get $et) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $et) (local.get $end)))))

  ;; Σ e·u, Σ e·u² and Σ e·u³ with u = z - $max, to $out.
  (func (export "moments") (param $z i32) (param $e i32) (param $count i32) (param $max f64) (param $out i32)
    (local $end i32) (local $u v128) (local $eu v128) (local $first v128) (local $second v128) (local $third v128)
    (local.set $end (i32.add (local.get $z) (i32.shl (local.get $count) (i32.const 3))))
    (loop $next
      (local.set $u (f64x2.sub (v128.load (local.get $z)) (f64x2.splat (local.get $max))))
      (local.set $eu (f64x2.mul (local.get $u) (v128.load (local.get $e))))
      (local.set $first (f64x2.add (local.get $first) (local.get $eu)))
      (local.set $eu (f64x2.mul (local.get $eu) (local.get $u)))
      (local.set $second (f64x2.add (local.get $second) (local.get $eu)))
      (local.set $third (f64x2.add (local.get $third) (f64x2.mul (local.get $eu) (local.get $u))))
      (local.set $e (i32.add (local.get $e) (i32.const 16)))
      (local.set $z (i32.add (local.get $z) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $z) (local.get $end))))
    (f64.store (local.get $out)
      (f64.add (f64x2.extract_lane 0 (local.get $first)) (f64x2.extract_lane 1 (local.get $first))))
    (f64.store offset=8 (local.get $out)
      (f64.add (f64x2.extract_lane 0 (local.get $second)) (f64x2.extract_lane 1 (local.get $second))))
    (f64.store offset=16 (local.get $out)
      (f64.add (f64x2.extract_lane 0 (local.get $third)) (f64x2.extract_lane 1 (local.get $third))))))
