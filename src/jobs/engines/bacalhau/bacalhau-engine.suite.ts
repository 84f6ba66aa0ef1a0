import os from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { fromUtf8, utf8 } from '../../../base/bytes.ts'
import { callEngine } from '../../../platform/node/call-engine.ts'
import { engineStreams } from '../../../platform/node/engine-streams.ts'
import { entriesOf, wholeOf } from '../../../testkit/stored-bytes.ts'
import { helloModule } from '../../../testkit/wasm-module.ts'
import type { EngineJob, EngineSubmission } from '../engine.ts'
import type { TarEntry } from '../tar.ts'
import { BacalhauEngine } from './bacalhau-engine.ts'
import { beginMark } from './bacalhau-job.ts'

const PATIENCE_MS = 120_000
const never = new AbortController().signal

export interface BacalhauUnderTest {
  readonly url: string
  readonly token: string
  /** One with a /bin/sh. */
  readonly image: string
}

/**
 * What is relied on of Bacalhau's API: run against the fake of testkit, and against a real node where one is given.
 *
 * @param what  asked before each test
 */
export function describeBacalhau(name: string, what: () => BacalhauUnderTest): void {
  describe(name, () => {
    const engine = () => new BacalhauEngine(what(), callEngine, engineStreams(path.join(os.tmpdir(), 'ew-fetched')))
    const newName = () => `ew${[...crypto.getRandomValues(new Uint8Array(10))].map((byte) => 'abcdefghjkmnpqrs'[byte & 15]).join('')}`
    const job = (line: string, more: Partial<EngineSubmission> = {}): EngineSubmission => ({
      ...{ name: newName(), arguments: ['-c', line], folder: '/', environment: {}, service: false, network: false, files: [] },
      ...more,
    })
    const until = async (name: string, isIt: (job: EngineJob | undefined) => boolean): Promise<EngineJob> => {
      const beganMs = Date.now()
      for (;;) {
        const found = await engine().find(name, never)
        if (isIt(found)) return found as EngineJob
        if (Date.now() - beganMs > PATIENCE_MS) throw new Error(`it is ${JSON.stringify(found)} still`)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
    const end = (name: string) => until(name, (one) => one?.state === 'ended')
    const outputOf = async (one: EngineJob) => {
      const told = { out: '', err: '' }
      for await (const { stream, text } of engine().output(one, never)) told[stream] += text
      return told
    }
    const file = (path: string, text: string): TarEntry => ({ kind: 'file', path, mode: 0o644, modifiedMs: 1_000, bytes: utf8(text) })
    const ran = (files: readonly TarEntry[]) =>
      Object.fromEntries(files.flatMap((one) => (one.kind === 'file' ? [[one.path, fromUtf8(one.bytes)]] : [])))

    it('[EN7] says what it is and how busy it is', async () => {
      const told = await engine().describe(never)
      expect(told).toMatchObject({ version: expect.stringMatching(/^Bacalhau v\d/), runs: expect.arrayContaining(['wasm']) })
      expect(told.cores).toBeGreaterThan(0)
      expect(told.idleCores).toBeLessThanOrEqual(told.cores)
    })

    it('[EN7][EN8][EN9] a folder goes along, its line runs there, output, exit code and what it left come back', async ({ skip }) => {
      if (!(await engine().describe(never)).runs?.includes('docker')) skip('no node here runs docker')
      const submission = job('sort words > sorted; echo "it\'s $CI"; echo bad >&2; mkdir d; echo deep > d/e; exit 3', {
        environment: { CI: 'yes', HOME: '/secret', lower: 'x' },
        files: [{ kind: 'folder', path: 'sub', mode: 0o755 }, file('words', 'pear\napple\n'), file(`sub/${'n'.repeat(120)}`, 'long')],
      })
      const sent = await engine().submit(submission, never)
      const ended = await end(submission.name)
      expect(ended).toMatchObject({ id: sent.id, state: 'ended', code: 3 })
      expect(await outputOf(ended)).toEqual({ out: `${beginMark(submission.name)}it's yes\n`, err: 'bad\n' })
      const results = await engine().results(ended, never)
      const whole = { words: 'pear\napple\n', sorted: 'apple\npear\n', 'd/e': 'deep\n', [`sub/${'n'.repeat(120)}`]: 'long' }
      expect(ran(await entriesOf(results.files()))).toEqual(whole)
      expect(fromUtf8(await wholeOf(results.output('err')))).toBe('bad\n')
      await results.dispose()
    }, 180_000)

    it('[EN7] sent again by the same name it is the same job, which runs once', async ({ skip }) => {
      if (!(await engine().describe(never)).runs?.includes('docker')) skip('no node here runs docker')
      const submission = job('echo once')
      const first = await engine().submit(submission, never)
      expect(await engine().submit(submission, never)).toMatchObject({ id: first.id })
      const ended = await end(submission.name)
      expect((await outputOf(ended)).out).toBe(`${beginMark(submission.name)}once\n`)
      expect(await engine().submit(submission, never)).toMatchObject({ id: first.id, state: 'ended', code: 0 })
    }, 180_000)

    it('[EN8][EN10] a module runs, what it wrote and left comes back; its log cannot be followed', async () => {
      const submission = job('./hello.wasm and words', {
        files: [file('other', 'x'), { ...file('hello.wasm', ''), bytes: helloModule(7) } as TarEntry],
      })
      await engine().submit(submission, never)
      const ended = await end(submission.name)
      expect(ended).toMatchObject({ state: 'ended', code: 7 })
      const results = await engine().results(ended, never)
      expect(fromUtf8(await wholeOf(results.output('out')))).toBe('hello\n')
      expect(ran(await entriesOf(results.files()))).toEqual({ made: 'hello\n' })
      await results.dispose()
    }, 180_000)

    it('[EN11] stopped it is said to be ended, a second time is no error; a service goes on until then and gives no results', async ({
      skip,
    }) => {
      if (!(await engine().describe(never)).runs?.includes('docker')) skip('no node here runs docker')
      for (const service of [false, true]) {
        const submission = job('echo begun; sleep 600', { service })
        await engine().submit(submission, never)
        const runs = await until(submission.name, (one) => one?.state === 'running')
        const following = outputOf(runs).catch(() => undefined)
        expect(await engine().cancel({ name: submission.name, id: runs.id }, never)).toBe(true)
        expect(await end(submission.name)).toMatchObject({ ended: 'cancelled' })
        expect(await engine().cancel({ name: submission.name }, never)).toBe(true)
        await following
      }
    }, 180_000)

    it('[EN7] what nobody knows of is not found; one that is over can be ended again', async ({ skip }) => {
      expect(await engine().find(newName(), never)).toBeUndefined()
      expect(await engine().cancel({ name: newName() }, never)).toBe(false)
      if (!(await engine().describe(never)).runs?.includes('docker')) skip('no node here runs docker')
      const submission = job('true')
      await engine().submit(submission, never)
      const ended = await end(submission.name)
      expect(await engine().cancel({ name: submission.name, id: ended.id }, never)).toBe(true)
    }, 180_000)
  })
}
