import { pbkdf2 } from 'node:crypto'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { KernelFuseDevice } from './kernel-fuse-device.ts'

it('a notice that is not written yet when the device is disposed does not reach a file that has its number next', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'elsewhere-fuse-device-'))
  const opened: number[] = []
  try {
    const of = (name: string) => path.join(folder, name)
    const device = new KernelFuseDevice(openSync(of('device'), 'w'))
    // The thread pool has other work first.
    const busy = Array.from({ length: 32 }, () => new Promise<void>((resolve) => pbkdf2('a', 'b', 50_000, 32, 'sha256', () => resolve())))
    const told = device.notify(Buffer.from('notice'))
    device.dispose()
    for (const name of ['one', 'two', 'three', 'four']) opened.push(openSync(of(name), 'w'))
    await Promise.all([told, ...busy])
    expect(['device', 'one', 'two', 'three', 'four'].map((name) => readFileSync(of(name), 'utf8'))).toEqual(['notice', '', '', '', ''])
  } finally {
    for (const fd of opened) closeSync(fd)
    rmSync(folder, { recursive: true, force: true })
  }
})
