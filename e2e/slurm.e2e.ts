import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { controlContract } from '../src/device/control-contract.ts'
import { displayContract } from '../src/device/display-contract.ts'
import type { JobInfo } from '../src/jobs/jobs-contract.ts'
import { dataFolderAt } from '../src/main/daemon/data-folder.ts'
import { connectUnixSocket } from '../src/platform/node/unix-socket-transport.ts'
import { type Client, createClient } from '../src/rpc/client.ts'
import { createNetLab, type NetLab, whyNoNetLab } from '../src/testkit/netlab.ts'
import { SlurmLab, whyNoSlurm } from '../src/testkit/slurm-lab.ts'
import { whyNoBrowser } from './harness/chromium.ts'
import { E2eDevice, PASSPHRASE } from './harness/e2e-device.ts'
import { E2eBrowser, E2eDisplay } from './harness/e2e-display.ts'
import { eventually } from './harness/e2e-pair.ts'
import { drag, findings, middle } from './harness/hands.ts'

const why = whyNoNetLab() ?? whyNoSlurm()
const CLI = path.resolve(import.meta.dirname, '../bin/elsewhere.mjs')
const PATIENCE_MS = 60_000

/** Against Debian's Slurm, really run: slurmctld, slurmd, munge and slurmrestd of its own, in a namespace of its own. */
describe.skipIf(why !== undefined)(`jobs on a Slurm cluster${why ? ` (${why})` : ''}`, () => {
  let lab: NetLab
  let device: E2eDevice
  let slurm: SlurmLab
  let folder: string
  let slurmFolder: string

  beforeAll(async () => {
    lab = createNetLab('laptop')
    slurmFolder = mkdtempSync(path.join(os.tmpdir(), 'ew-slurm-'))
    chmodSync(slurmFolder, 0o755) // slurmrestd runs as another account
    ;[device, slurm] = await Promise.all([
      E2eDevice.start({ name: 'laptop', machine: lab.machine('laptop') }),
      SlurmLab.start(lab.machine('laptop'), path.join(slurmFolder, 'own')),
    ])
    await device.create('Ada')
    folder = path.join(device.folder, 'project')
    mkdirSync(folder)
  }, 120_000)
  afterAll(async () => {
    await device?.dispose()
    await slurm?.dispose()
    lab?.dispose()
    rmSync(slurmFolder, { recursive: true, force: true })
  })

  const elsewhere = (args: readonly string[], input = '', cwd = folder) => {
    const env = { ...process.env, HOME: device.folder, ELSEWHERE_DATA: device.folder }
    const child = lab.machine('laptop').spawn(process.execPath, [CLI, ...args], { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] })
    const seen = { out: '', err: '' }
    child.stdout?.on('data', (bytes) => (seen.out += String(bytes)))
    child.stderr?.on('data', (bytes) => (seen.err += String(bytes)))
    child.stdin?.end(input)
    return new Promise<{ code: number | null; out: string; err: string }>((resolve) =>
      child.on('close', (code) => resolve({ code, ...seen })),
    )
  }
  const ask = async <T>(work: (client: Client<typeof displayContract & typeof controlContract>) => Promise<T>) => {
    const asking = createClient(
      { ...displayContract, ...controlContract },
      await connectUnixSocket(dataFolderAt(device.folder).deviceSocket),
    )
    try {
      return await work(asking)
    } finally {
      asking.dispose()
    }
  }
  const jobOf = (id: string) => ask(async (asking) => (await asking.listJobs({})).find(({ job }) => job.startsWith(id.trim())) as JobInfo)
  const add = (token: string, ...more: readonly string[]) =>
    elsewhere(['engine', 'add', 'cluster', '--url', slurm.url, '--user', 'root', '--shared', device.folder, ...more], token)

  it('[EN1][EN2] an engine is added when it has answered; a wrong token, address or folder is named, and the token is nowhere on the disk', async () => {
    expect(await add('nonsense')).toMatchObject({ code: 1, err: expect.stringContaining('[engine/refused]') })
    const away = ['engine', 'add', 'cluster', '--url', 'http://127.0.0.1:9', '--user', 'root', '--shared', device.folder]
    expect(await elsewhere(away, 'x')).toMatchObject({ code: 1, err: expect.stringContaining('[engine/unreachable]') })
    const outside = ['engine', 'add', 'cluster', '--url', slurm.url, '--user', 'root', '--shared', '/var']
    expect(await elsewhere(outside, slurm.token())).toMatchObject({ code: 1, err: expect.stringContaining('[engine/bad-folder]') })
    expect(await elsewhere(['engine', 'list'])).toMatchObject({ code: 0, out: '' })
    const token = slurm.token()
    expect(await add(token)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^cluster +ready .*\n +Slurm 22\.05\.\d+, 2 of 2 cores idle\n$/),
    })
    for (const file of ['store.sqlite', 'store.sqlite-wal', 'settings.json'])
      expect(readFileSync(path.join(device.folder, file)).includes(token.replace('SLURM_JWT=', '')), file).toBe(false)
    const { out } = await elsewhere(['explain', 'sort', 'words'])
    expect(out).toMatch(/^ {2}cluster +[\d.]+ s +has the data, idle, 2 cores$/m)
    expect((await elsewhere(['explain', 'sort', 'words'], '', '/tmp')).out).toMatch(/^- cluster +sees only /m)
    expect((await elsewhere(['explain', 'npx', 'vite'])).out).toMatch(/^- cluster +takes only what ends by itself$/m)
  }, 120_000)

  it('[EN3] runs there in the very folder: output of both streams, exit code, results; its name there is the attempt', async () => {
    writeFileSync(path.join(folder, 'words'), 'pear\napple\n')
    const line = 'sort words > sorted; pwd; echo "it\'s bad" >&2; echo $SLURM_JOB_ID > id; exit 3'
    expect(await elsewhere(['run', '--on', 'cluster', line])).toMatchObject({ code: 3, out: `${folder}\nit's bad\n` })
    expect(readFileSync(path.join(folder, 'sorted'), 'utf8')).toBe('apple\npear\n')
    expect(readFileSync(path.join(folder, 'id'), 'utf8')).toMatch(/^\d+\n$/)
    const [job] = await ask((asking) => asking.listJobs({}))
    expect(job).toMatchObject({ state: 'failed', exit: { code: 3 }, device: 'engine:cluster', why: 'cluster: you chose it' })
    expect(slurm.jobs()).toContain(`${job?.attempts[0]?.attempt} FAILED`)
    expect((await elsewhere(['jobs'])).out).toMatch(/^\w{8} {2}failed \(3\) +cluster /)
  }, 120_000)

  it('[EN4] cancelled here it ends there; ended there it is said here', async () => {
    const { out: id } = await elsewhere(['run', '--detach', '--on', 'cluster', 'echo begun; sleep 600'])
    await eventually('it runs', async () => (await jobOf(id)).state === 'running' && (await jobOf(id)).outputBytes > 0, PATIENCE_MS)
    expect(await elsewhere(['cancel', id.trim()])).toMatchObject({ code: 0 })
    await eventually('it is cancelled', async () => (await jobOf(id)).state === 'cancelled', PATIENCE_MS)
    const name = (await jobOf(id)).attempts[0]?.attempt as string
    await eventually('it is there, too', async () => slurm.jobs().includes(`${name} CANCELLED`), PATIENCE_MS)
    const { out: other } = await elsewhere(['run', '--detach', '--on', 'cluster', 'sleep 600'])
    await eventually('it runs', async () => (await jobOf(other)).state === 'running', PATIENCE_MS)
    slurm.run('scancel', `--name=${(await jobOf(other)).attempts[0]?.attempt}`)
    await eventually('that is heard', async () => (await jobOf(other)).state === 'failed', PATIENCE_MS)
    expect((await jobOf(other)).error).toMatchObject({ code: 'job/ended-cancelled' })
  }, 180_000)

  /** @param how  what befalls it there */
  const befalls = async (line: string, how: (id: string) => void) => {
    const { out: id } = await elsewhere(['run', '--detach', '--on', 'cluster', line])
    await eventually('it runs', async () => (await jobOf(id)).state === 'running' && (await jobOf(id)).outputBytes > 0, PATIENCE_MS)
    const name = (await jobOf(id)).attempts[0]?.attempt as string
    how(slurm.run('squeue', `--name=${name}`, '--noheader', '--format=%i').trim())
    return { id: id.trim(), name }
  }

  it('[EN3][EN6] requeued, or its node lost, it is followed through the queue, not begun twice, and said to be what it is', async () => {
    const line = (file: string) => `echo once >> ${file}; echo begun; sleep 600`
    const requeued = await befalls(line('requeued'), (id) => slurm.run('scontrol', 'requeue', id))
    await eventually('it waits in the queue', async () => (await jobOf(requeued.id)).state === 'starting', PATIENCE_MS)
    await eventually('it is over', async () => (await jobOf(requeued.id)).state === 'failed', PATIENCE_MS)
    expect((await jobOf(requeued.id)).error).toMatchObject({
      code: 'job/ended-requeued',
      message: expect.stringContaining('not begun again'),
    })
    expect(slurm.jobs()).toContain(`${requeued.name} FAILED`)
    expect((await elsewhere(['logs', requeued.id])).out).toMatch(/^begun\n[^]*it was requeued, and it is not begun again\n$/)

    // Lost with its node: Slurm begins it again by itself once there is one.
    const lost = await befalls(line('lost'), () => slurm.run('scontrol', 'update', 'nodename=n1', 'state=down', 'reason=test'))
    await eventually('it waits in the queue', async () => (await jobOf(lost.id)).state === 'starting', PATIENCE_MS)
    slurm.bringBack('n1')
    await eventually('it is over', async () => (await jobOf(lost.id)).state === 'failed', PATIENCE_MS)
    expect((await jobOf(lost.id)).error).toMatchObject({ code: 'job/ended-requeued' })

    const failed = await befalls(line('failed'), (id) => {
      slurm.run('scontrol', 'update', `jobid=${id}`, 'requeue=0')
      slurm.run('scontrol', 'update', 'nodename=n1', 'state=down', 'reason=test')
    })
    await eventually('it is over', async () => (await jobOf(failed.id)).state === 'failed', PATIENCE_MS)
    slurm.bringBack('n1')
    expect((await jobOf(failed.id)).error).toMatchObject({ code: 'job/ended-node-failed' })
    await eventually('its node is back', async () => slurm.run('sinfo', '--noheader', '--format=%t').trim() === 'idle', PATIENCE_MS)
    for (const file of ['requeued', 'lost', 'failed']) expect(readFileSync(path.join(folder, file), 'utf8'), file).toBe('once\n')
  }, 240_000)

  it('[EN6] the device is killed, and slurmrestd after it: the job goes on, is found again, and nothing of it is lost or shown twice', async () => {
    const line = 'for n in 1 2 3 4 5 6 7 8; do echo "line $n"; sleep 0.5; done; echo done > finished'
    const { out: id } = await elsewhere(['run', '--detach', '--on', 'cluster', line])
    await eventually('it has written something', async () => (await jobOf(id)).outputBytes > 0, PATIENCE_MS)
    await device.kill('device')
    await eventually(
      'it is open again',
      () => ask((asking) => asking.unlockDevice({ passphrase: PASSPHRASE }).then(() => true)),
      PATIENCE_MS,
    )
    await eventually('it is heard of again', async () => (await jobOf(id)).state === 'running', PATIENCE_MS)
    await slurm.stopRest()
    await eventually('it is said to be away', async () => (await jobOf(id)).waitingFor?.startsWith('cluster does not answer'), PATIENCE_MS)
    expect((await elsewhere(['engine', 'list'])).out).toMatch(/^cluster +away /)
    expect((await elsewhere(['explain', 'sort', 'words'])).out).toMatch(/^- cluster +http:.* does not answer/m)
    await slurm.startRest()
    await eventually('it has ended', async () => (await jobOf(id)).state === 'done', PATIENCE_MS)
    const all = Array.from({ length: 8 }, (_, n) => `line ${n + 1}\n`).join('')
    expect(await elsewhere(['logs', id.trim()])).toMatchObject({ code: 0, out: all })
    expect(readFileSync(path.join(folder, 'finished'), 'utf8')).toBe('done\n')
    const { attempts } = await jobOf(id)
    expect({ attempts: attempts.length, there: slurm.jobs().filter((one) => one.startsWith(attempts[0]?.attempt ?? '?')).length }).toEqual({
      attempts: 1,
      there: 1,
    })
  }, 240_000)

  it('[EN4] cancelled while it does not answer, it is ended there as soon as it does', async () => {
    const { out: id } = await elsewhere(['run', '--detach', '--on', 'cluster', 'sleep 600'])
    await eventually('it runs', async () => (await jobOf(id)).state === 'running', PATIENCE_MS)
    const name = (await jobOf(id)).attempts[0]?.attempt as string
    await slurm.stopRest()
    await elsewhere(['cancel', id.trim()])
    expect((await jobOf(id)).state).toBe('cancelled')
    expect(slurm.jobs()).toContain(`${name} RUNNING`)
    await slurm.startRest()
    await eventually('it is ended there', async () => slurm.jobs().includes(`${name} CANCELLED`), PATIENCE_MS)
  }, 180_000)

  it.skipIf(whyNoBrowser !== undefined)(
    '[AP141] its tile says how it is; a script dragged onto it runs there, and what it wrote is in the folder',
    async () => {
      await ask((asking) => asking.lockDevice({})) // what was known of engines is forgotten
      const browser = await E2eBrowser.launch(lab.machine('laptop'))
      const display = await E2eDisplay.open(device, browser, { reducedMotion: 'reduce' })
      try {
        await display.unlock('move')
        const { page } = display
        page.setDefaultTimeout(20_000)
        writeFileSync(path.join(folder, 'where.sh'), '#!/bin/sh\necho "$SLURM_JOB_ID" > dragged\n')
        const tile = page.locator('[data-device-tile="engine:cluster"]')
        await tile.waitFor()
        const said = () => tile.getByRole('button').first().getAttribute('aria-label')
        expect(await said()).toBe('cluster: engine, not asked yet') // the dock is closed
        if (process.env.ELSEWHERE_SHOTS) await display.screenshot(path.join(process.env.ELSEWHERE_SHOTS, 'engine-unasked.png'))
        await display.openApp('Files')
        await page.getByRole('option', { name: /^project/ }).dblclick()
        await page.getByRole('option', { name: /^where\.sh/ }).waitFor()
        await drag(page, await middle(page.getByRole('option', { name: /^where\.sh/ })), { x: 1400, y: 400 }, false)
        await page.getByText('Wherever it suits').waitFor()
        await expect.poll(() => tile.getAttribute('data-takes'), { timeout: 20_000 }).toMatch(/yes|best/)
        await page.mouse.move(1402, 402, { steps: 2 })
        let before = ''
        await expect
          .poll(
            async () => {
              const { x, y } = await middle(tile)
              const isStill = before === `${x} ${y}`
              before = `${x} ${y}`
              await page.mouse.move(x, y, { steps: 3 })
              return isStill
            },
            { timeout: 20_000 },
          )
          .toBe(true)
        if (process.env.ELSEWHERE_SHOTS) await display.screenshot(path.join(process.env.ELSEWHERE_SHOTS, 'engine-drag.png'))
        await page.mouse.up()
        const card = page.getByRole('article', { name: 'Job: sh ./where.sh' })
        await card.getByText('Done', { exact: true }).waitFor()
        expect(await card.textContent()).toContain('cluster')
        expect(readFileSync(path.join(folder, 'dragged'), 'utf8')).toMatch(/^\d+\n$/)
        await page.keyboard.press('Control+Shift+E')
        await page.getByRole('textbox', { name: 'Run a command elsewhere' }).waitFor()
        await expect.poll(said, { timeout: 20_000 }).toMatch(/^cluster: engine, \d+ % busy$/)
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
          await page.locator(`html[data-theme="${colorScheme}"]`).waitFor({ state: 'attached' })
          if (process.env.ELSEWHERE_SHOTS) await display.screenshot(path.join(process.env.ELSEWHERE_SHOTS, `engine-${colorScheme}.png`))
          expect(await findings(page, `an engine's tile, ${colorScheme}`)).toEqual([])
        }
      } finally {
        await display.close()
        await browser.dispose()
      }
    },
    180_000,
  )

  it('[EN5][WF5] a step of a workflow runs there by the name of the engine', async () => {
    const file = path.join(folder, 'flow.yml')
    writeFileSync(file, 'jobs: { where: { run: "test -n \\"$SLURM_JOB_ID\\" && echo yes > there", outputs: [there], on: cluster } }\n')
    expect(await elsewhere(['workflow', 'run', file])).toMatchObject({ code: 0, out: expect.stringContaining('on cluster') })
    expect((await elsewhere(['fs', 'cat', '/there'])).out).toBe('yes\n')
    expect(await elsewhere(['engine', 'remove', 'cluster'])).toMatchObject({ code: 0 })
    expect(await elsewhere(['run', '--on', 'cluster', 'true'])).toMatchObject({ code: 2 })
  }, 120_000)
})
