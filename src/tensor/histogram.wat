;; SIMD loops over blocks of numbers for histograms, on a scratch memory that src/tensor/histogram-kernels.ts lays out and fills.
;; `node scripts/gen-kernels.js` compiles this file into histogram.generated.ts; a test compares the two.
;;
;; Every count is a multiple of 4, and at least 4. The source is at 0.
(module
  (memory (export "memory") 5)

  ;; Smallest and largest of each lane, then sums of x * 0: NaN where a lane has an element that is not finite. Three vectors at $target.
  (func (export "range") (param $count i32) (param $target i32)
    (local $at i32) (local $end i32)
    (local $x v128) (local $least v128) (local $most v128) (local $poison v128)
    (local.set $least (v128.load (i32.const 0)))
    (local.set $most (local.get $least))
    (local.set $end (i32.shl (local.get $count) (i32.const 2)))
    (loop $next
      (local.set $x (v128.load (local.get $at)))
      (local.set $least (f32x4.pmin (local.get $least) (local.get $x)))
      (local.set $most (f32x4.pmax (local.get $most) (local.get $x)))
      (local.set $poison
        (f32x4.add (local.get $poison) (f32x4.mul (local.get $x) (v128.const f32x4 0 0 0 0))))
      (br_if $next
        (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $end))))
    (v128.store (local.get $target) (local.get $least))
    (v128.store offset=16 (local.get $target) (local.get $most))
    (v128.store offset=32 (local.get $target) (local.get $poison)))

  ;; Adds 1 to the bin of every element: that of its product with $inverse, toward zero, and one below for elements under zero. Elements
  ;; go to two tables in turn, 131072 bytes apart, so that equal neighbours do not wait for each other. $zero is the place of bin 0.
  (func (export "count") (param $count i32) (param $inverse f32) (param $zero i32)
    (local $at i32) (local $end i32) (local $bin i32)
    (local $x v128) (local $places v128) (local $inverses v128) (local $zeros v128)
    (local.set $inverses (f32x4.splat (local.get $inverse)))
    (local.set $zeros (i32x4.splat (local.get $zero)))
    (local.set $end (i32.shl (local.get $count) (i32.const 2)))
    (loop $next
      (local.set $x (v128.load (local.get $at)))
      (local.set $places
        (i32x4.add (local.get $zeros)
          (i32x4.shl
            (i32x4.add
              (i32x4.trunc_sat_f32x4_s (f32x4.mul (local.get $x) (local.get $inverses)))
              (f32x4.lt (local.get $x) (v128.const f32x4 0 0 0 0)))
            (i32.const 2))))
      (local.set $bin (i32x4.extract_lane 0 (local.get $places)))
      (i32.store (local.get $bin) (i32.add (i32.load (local.get $bin)) (i32.const 1)))
      (local.set $bin (i32x4.extract_lane 1 (local.get $places)))
      (i32.store offset=131072 (local.get $bin) (i32.add (i32.load offset=131072 (local.get $bin)) (i32.const 1)))
      (local.set $bin (i32x4.extract_lane 2 (local.get $places)))
      (i32.store (local.get $bin) (i32.add (i32.load (local.get $bin)) (i32.const 1)))
      (local.set $bin (i32x4.extract_lane 3 (local.get $places)))
      (i32.store offset=131072 (local.get $bin) (i32.add (i32.load offset=131072 (local.get $bin)) (i32.const 1)))
      (br_if $next
        (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $end)))))

  ;; Adds the second table to the first and empties it; $first is where the first begins, 131072 bytes long.
  (func (export "join") (param $first i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $first) (i32.const 131072)))
    (loop $next
      (v128.store (local.get $first)
        (i32x4.add (v128.load (local.get $first)) (v128.load offset=131072 (local.get $first))))
      (v128.store offset=131072 (local.get $first) (v128.const i32x4 0 0 0 0))
      (br_if $next
        (i32.lt_u (local.tee $first (i32.add (local.get $first) (i32.const 16))) (local.get $end)))))
)
