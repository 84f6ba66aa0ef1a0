import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const PATIENCE_MS = 120_000
let names = 0

/** Milliseconds from before a write on A until its bytes were read on B, after one that finds the way. */
export async function saveTimes(a: string, b: string, saves: number): Promise<readonly number[]> {
  const times: number[] = []
  for (let n = 0; n <= saves; n++) {
    const name = `saved-${names++}`
    const text = `${name} ${'x'.repeat(500)}`
    const begunMs = performance.now()
    await writeFile(path.join(a, name), text)
    await untilRead(path.join(b, name), text)
    if (n > 0) times.push(performance.now() - begunMs)
    await delay(300 + Math.random() * 700) // no step with whoever waits for a beat
  }
  return times
}

async function untilRead(file: string, text: string): Promise<void> {
  for (const giveUpMs = performance.now() + PATIENCE_MS; performance.now() < giveUpMs; await delay(5)) {
    if ((await readFile(file, 'utf8').catch(() => '')) === text) return
  }
  throw new Error(`${file} did not come in ${PATIENCE_MS} ms`)
}
