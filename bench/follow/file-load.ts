import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { endProcess } from '../peers/xvfb.ts'
import type { BenchLab } from './bench-lab.ts'

const PROGRAM = path.resolve(import.meta.dirname, 'file-load-process.ts')
const FILE_BYTES = 256 * 1024

/**
 * B reads a file of A's home without end while `work` runs.
 *
 * @returns what `work` returned, and the speed of the files in MB/s
 */
export async function whileFilesFlow<T>(lab: BenchLab, work: () => Promise<T>): Promise<{ result: T; megabytesPerSecond: number }> {
  const { device: from, deviceId } = lab.machine('a')
  const file = path.join(from.folder, 'load.bin')
  await writeFile(file, randomBytes(FILE_BYTES))
  const args = [PROGRAM, lab.machine('b').device.folder, deviceId, file]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let bytes = 0
  const lines = createInterface({ input: child.stdout })
  lines.on('line', (line) => {
    bytes = Number(line)
  })
  try {
    await once(lines, 'line')
    const [bytesBefore, startedMs] = [bytes, performance.now()]
    const result = await work()
    if (child.exitCode !== null) throw new Error(`the files stopped: exit code ${child.exitCode}`)
    return { result, megabytesPerSecond: (bytes - bytesBefore) / 1e3 / (performance.now() - startedMs) }
  } finally {
    await endProcess(child)
  }
}
