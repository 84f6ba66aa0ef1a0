import { utf8 } from '../base/bytes.ts'

/** Unsigned LEB128. */
function leb(value: number): number[] {
  const out: number[] = []
  for (let left = value; ; left >>>= 7) {
    out.push(left > 127 ? (left & 127) | 128 : left)
    if (left <= 127) return out
  }
}
/** Small signed constants, as `i32.const` and `i64.const` have them. */
const signed = (value: number): number[] => (value < 64 ? [value] : [(value & 127) | 128, value >> 7])
const text = (value: string): number[] => [...leb(utf8(value).length), ...utf8(value)]
const list = (all: readonly number[][]): number[] => [...leb(all.length), ...all.flat()]
const section = (id: number, content: number[]): number[] => [id, ...leb(content.length), ...content]

const I32 = 0x7f
const I64 = 0x7e
const wasi = (name: string, type: number) => [...text('wasi_snapshot_preview1'), ...text(name), 0, ...leb(type)]
const i32 = (value: number) => [0x41, ...signed(value)]
const i64 = (value: number) => [0x42, ...signed(value)]
const call = (index: number) => [0x10, ...leb(index)]
const DROP = 0x1a

/** A module that writes `hello` to its output and into `outputs/made` below its root, and ends with a code. */
export function helloModule(code: number): Uint8Array {
  const types = list([
    [0x60, ...list([[I32], [I32], [I32], [I32]]), ...list([[I32]])],
    [0x60, ...list([[I32], [I32], [I32], [I32], [I32], [I64], [I64], [I32], [I32]]), ...list([[I32]])],
    [0x60, ...list([[I32]]), 0],
    [0x60, 0, 0],
  ])
  const write = [...i32(0), ...i32(1), ...i32(8), ...call(0), DROP]
  const body = [
    0,
    ...[...i32(1), ...write],
    // Below the first folder it is given: created, or emptied, for writing.
    ...[...i32(3), ...i32(0), ...i32(48), ...i32(12), ...i32(9), ...i64(64), ...i64(0), ...i32(0), ...i32(16), ...call(1), DROP],
    ...[...i32(16), 0x28, 2, 0, ...write],
    ...[...i32(code), ...call(2), 0x0b],
  ]
  const memory = new Uint8Array(60)
  new DataView(memory.buffer).setUint32(0, 32, true)
  new DataView(memory.buffer).setUint32(4, 6, true)
  memory.set(utf8('hello\n'), 32)
  memory.set(utf8('outputs/made'), 48)
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, types),
    ...section(2, list([wasi('fd_write', 0), wasi('path_open', 1), wasi('proc_exit', 2)])),
    ...section(3, list([[3]])),
    ...section(5, list([[0, 1]])),
    ...section(
      7,
      list([
        [...text('memory'), 2, 0],
        [...text('_start'), 0, 3],
      ]),
    ),
    ...section(10, list([[...leb(body.length), ...body]])),
    ...section(11, list([[0, ...i32(0), 0x0b, ...leb(memory.length), ...memory]])),
  ])
}
