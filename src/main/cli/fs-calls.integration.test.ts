import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import type { DatasetNodeInfo } from '../../files/dataset-contract.ts'
import { getInto } from './fs-calls.ts'
import type { DeviceClient } from './local-client.ts'

/** A device that gives pieces of a file, and then `last`. */
const deviceOf = (pieces: readonly string[], last?: Error) => {
  const whole = pieces.join('')
  const readDatasetBytes = async ({ offset }: { offset: number }) => {
    const piece = pieces.find((_, n) => pieces.slice(0, n).join('').length === offset)
    if (piece === undefined && last) throw last
    return { base64: Buffer.from(piece ?? '').toString('base64'), bytes: whole.length + (last ? 1 : 0) }
  }
  return { readDatasetBytes } as unknown as DeviceClient
}
const info = { name: 'note', node: 'n', version: 'v' } as DatasetNodeInfo

it('[DV51] a file is copied out whole, or what was there stays; links are followed, modes kept', async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'elsewhere-get-'))
  try {
    const target = path.join(folder, 'note')
    writeFileSync(target, 'precious', { mode: 0o600 })
    const away = Object.assign(new Error('no linked device has it'), { code: 'chunk/unavailable' })
    await expect(getInto(deviceOf(['one '], away), 'Home', info, target)).rejects.toThrow('no linked device has it')
    await expect(getInto(deviceOf([], away), 'Home', info, path.join(folder, 'new'))).rejects.toThrow('no linked device has it')
    await expect(getInto(deviceOf(['x']), 'Home', info, path.join(folder, 'nowhere', 'x'))).rejects.toMatchObject({ code: 'ENOENT' })
    expect([readFileSync(target, 'utf8'), readdirSync(folder)]).toEqual(['precious', ['note']])
    symlinkSync('note', path.join(folder, 'link'))
    await getInto(deviceOf(['one ', 'two']), 'Home', info, path.join(folder, 'link'))
    expect([readFileSync(target, 'utf8'), statSync(target).mode & 0o777, readdirSync(folder)]).toEqual(['one two', 0o600, ['link', 'note']])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
