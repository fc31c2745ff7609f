;; luhn(text) -> BOOLEAN: whether the digits of a text pass the check of card numbers; blanks do not count, other characters fail.
;; The batch interface is in runtime/wasm/FORMAT.md. One page of memory is left alone, so that no address is 0; arguments begin at 65536.
(memory 2)

;; alloc makes room for the arguments, and for a result of at most 32 + 8 bytes a row behind them: three times the size and a little.
(func alloc (export) (param size i32) (result i32) (local pages i32)
  local.get size i32.const 3 i32.mul i32.const 196607 i32.add i32.const 16 i32.shr_u
  local.set pages
  block enough
    local.get pages memory.size i32.le_u br_if enough
    local.get pages memory.size i32.sub memory.grow i32.const -1 i32.ne br_if enough
    i32.const 0 return
  end
  i32.const 65536)

;; check tells whether the text from a to before b passes.
(func check (param a i32) (param b i32) (result i32) (local c i32) (local sum i32) (local digits i32)
  block done
    loop again
      local.get b local.get a i32.le_u br_if done
      local.get b i32.const 1 i32.sub local.tee b
      i32.load8_u local.tee c
      i32.const 32 i32.eq br_if again
      local.get c i32.const 48 i32.sub local.tee c
      i32.const 9 i32.gt_u if wrong i32.const 0 return end
      local.get digits i32.const 1 i32.and if second
        local.get c i32.const 1 i32.shl local.tee c
        i32.const 9 i32.gt_u if large local.get c i32.const 9 i32.sub local.set c end
      end
      local.get sum local.get c i32.add local.set sum
      local.get digits i32.const 1 i32.add local.set digits
      br again
    end
  end
  local.get sum i32.const 10 i32.rem_u i32.eqz
  local.get digits i32.const 1 i32.gt_u
  i32.and)

(func luhn (export) (param block i32) (param length i32) (result i64) (local rows i32) (local offsets i32) (local data i32) (local out i32) (local i i32) (local at i32)
  local.get block i32.load offset=4 local.set rows
  local.get block local.get block i32.load offset=24 i32.add local.set offsets
  local.get block local.get block i32.load offset=28 i32.add local.set data
  ;; the result lies behind the arguments, aligned to 8
  local.get block local.get length i32.add i32.const 7 i32.add i32.const -8 i32.and local.set out
  local.get out i32.const 0 i32.store
  local.get out local.get rows i32.store offset=4
  local.get out i32.const 0 i32.store offset=8
  local.get out i32.const 32 i32.store offset=12
  local.get out i32.const 0 i32.store offset=16
  local.get out i32.const 0 i32.store offset=20
  local.get out i32.const 0 i32.store offset=24
  local.get out i32.const 0 i32.store offset=28
  block done
    loop again
      local.get i local.get rows i32.ge_u br_if done
      local.get offsets local.get i i32.const 2 i32.shl i32.add local.set at
      local.get out local.get i i32.const 3 i32.shl i32.add
      local.get data local.get at i32.load i32.add
      local.get data local.get at i32.load offset=4 i32.add
      call check
      i64.extend_i32_u
      i64.store offset=32
      local.get i i32.const 1 i32.add local.set i
      br again
    end
  end
  local.get out i64.extend_i32_u i64.const 32 i64.shl
  local.get rows i32.const 3 i32.shl i32.const 32 i32.add i64.extend_i32_u
  i64.or)
