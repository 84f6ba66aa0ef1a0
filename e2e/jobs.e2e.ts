import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { whyNoNetLab } from '../src/testkit/netlab.ts'
import { whyNoBrowser } from './harness/chromium.ts'
import type { E2eDisplay } from './harness/e2e-display.ts'
import { E2eLab } from './harness/e2e-pair.ts'
import { keepEvidence } from './harness/evidence.ts'
import { closeWindows, drag, findings, middle } from './harness/hands.ts'

/** Says on whose disk a job lies: where the data folder of that device is, as the kernel tells it inside. */
const WHERE = "grep -o 'ew-server-[^/]*' /proc/self/mountinfo | sort -u"
const SCRIPT = `#!/bin/sh
${WHERE} > dragged
echo "found it"
echo "looked in vain" >&2
`

const why = whyNoNetLab() ?? whyNoBrowser
/** Sandboxes, links and processes on a busy machine. */
const PATIENT = { timeout: 60_000 }

/** Answers whoever connects, several at once: a browser opens connections that it may not use. */
const WEB_SERVER = String.raw`perl -MIO::Socket -e '$SIG{CHLD} = "IGNORE"; $s = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1:8123", ReuseAddr => 1) or die; while (1) { $c = $s->accept or next; if (!fork) { sysread $c, $_, 4096; print $c "HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<p>served over there</p>"; exit } close $c }'`

describe.skipIf(why !== undefined)(`a command sent elsewhere${why ? ` (${why})` : ''}`, () => {
  let lab: E2eLab
  let display: E2eDisplay
  let work: string

  beforeAll(async () => {
    lab = await E2eLab.create('kitchen', 'server')
    work = path.join(lab.machine('kitchen').device.folder, 'work')
    await mkdir(work)
    await writeFile(path.join(work, 'where.sh'), SCRIPT)
    display = await lab.display('kitchen', 'move', { reducedMotion: 'reduce' })
    display.page.setDefaultTimeout(20_000)
  })
  afterEach((context) => keepEvidence(context, { display }))
  afterAll(() => lab?.dispose())

  const tile = (name: string) =>
    display.page.locator('.device-tile').filter({ has: display.page.getByRole('button', { name: new RegExp(`^(?:Run on )?${name}:`) }) })

  /** Tiles move aside while the dock opens and says its reasons: the hand waits, as a person's does, until that one lies still under it. */
  const holdOver = async (name: string) => {
    let before = ''
    await expect
      .poll(async () => {
        const { x, y } = await middle(tile(name))
        const isStill = before === `${x} ${y}`
        before = `${x} ${y}`
        await display.page.mouse.move(x, y, { steps: 3 })
        const isUnder = await tile(name).evaluate(
          (one, at) => one.getBoundingClientRect().top <= at && at <= one.getBoundingClientRect().bottom,
          y,
        )
        return isStill && isUnder
      }, PATIENT)
      .toBe(true)
  }

  const serverFolder = () => `${path.basename(lab.machine('server').device.folder)}\n`

  /** Looked at by axe in both themes. */
  const look = async (what: string, scope?: string) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await display.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await display.page.locator(`html[data-theme="${colorScheme}"]`).waitFor({ state: 'attached' })
      const only = colorScheme === 'dark' ? ('colours' as const) : undefined
      expect(await findings(display.page, `${what}, ${colorScheme}`, scope, only)).toEqual([])
    }
  }

  it('[AP95] by keyboard: what it is and every reason while it is typed; what talks opens a terminal over there', async () => {
    const { page } = display
    await expect.poll(() => tile('server').getAttribute('data-state')).toBe('linked')
    await page.keyboard.press('Control+Shift+E')
    const field = page.getByRole('textbox', { name: 'Run a command elsewhere' })
    await field.waitFor()
    await expect.poll(() => field.evaluate((one) => one === document.activeElement)).toBe(true)

    await page.keyboard.type('gimp picture.png')
    await tile('server').getByText('needs your display').waitFor()
    expect(await tile('server').getAttribute('data-takes')).toBe('no')
    expect(await tile('kitchen').getAttribute('data-takes')).toBe('best')

    // what talks with the person opens a terminal over there
    await field.fill('bash -i')
    await page.getByText('Talks with you: opens a terminal there').waitFor()
    await page.getByRole('button', { name: /^Run on server:/ }).click()
    const device = lab.machine('server').deviceId
    await expect.poll(async () => (await lab.ask('kitchen', (client) => client.listTerminals({ device }))).length).toBe(1)
    await page.locator('.window[data-active] .xterm').waitFor()
    await closeWindows(page)
  })

  it('[AP95][AP123] all else is a job on the files of the folder in front: its card follows it, what it wrote is here', async () => {
    const { page } = display
    await display.openApp('Files')
    await page.getByRole('option', { name: /^work/ }).dblclick()
    await page.getByRole('option', { name: /^where\.sh/ }).waitFor()
    await page.getByRole('option', { name: /^where\.sh/ }).click({ button: 'right' })
    await page.getByRole('menuitem', { name: 'Run elsewhere' }).click()
    await page.getByRole('button', { name: 'Folder it works on: ~/work' }).waitFor()
    const field = page.getByRole('textbox', { name: 'Run a command elsewhere' })
    await expect.poll(() => field.evaluate((one: HTMLInputElement) => one === document.activeElement && one.value)).toBe('sh ./where.sh')
    await field.press('ControlOrMeta+a')
    await page.keyboard.type(`${WHERE} > typed && echo "that is all"`)
    await page.getByText('Ends by itself ·').waitFor()
    await expect.poll(() => tile('server').getAttribute('data-takes')).toBe('yes')
    await look('the dock with a command')
    await page.getByRole('button', { name: /^Run on server:/ }).click()

    const card = page.getByRole('article', { name: /^Job: / })
    await card.getByText('that is all', { exact: true }).waitFor()
    await card.getByText('Done', { exact: true }).waitFor()
    await card.getByText('1 file came back').waitFor()
    await card.hover() // while it is looked at it stays
    await look('the card of a job')
    expect(await card.evaluate((one) => one.scrollWidth - one.clientWidth), 'all of a card is in sight, however long its command').toBe(0)
    expect(await readFile(path.join(work, 'typed'), 'utf8')).toBe(serverFolder())
    await card.getByRole('button', { name: 'Close card' }).click()
    await card.waitFor({ state: 'detached' })
  })

  it('[AP126] a script dragged to a device runs there; its job is in the window, with its output', async () => {
    const { page } = display
    const row = await middle(page.getByRole('option', { name: /^where\.sh/ }))
    await drag(page, row, { x: 1400, y: 400 }, false)
    await page.getByText('Wherever it suits').waitFor()
    await expect.poll(() => tile('server').getAttribute('data-takes')).toMatch(/yes|best/)
    await page.mouse.move(1402, 402, { steps: 2 }) // into the dock's own column, now that it is there
    await holdOver('server')
    await page.mouse.up()
    const card = page.getByRole('article', { name: 'Job: sh ./where.sh' }).filter({ hasText: 'server' }).last() // of another try, too
    await card.hover()
    await card.getByText('Done', { exact: true }).waitFor()
    expect(await readFile(path.join(work, 'dragged'), 'utf8')).toBe(serverFolder())

    await card.getByRole('button', { name: 'sh ./where.sh', exact: true }).click()
    const job = page.getByRole('region', { name: 'Job: sh ./where.sh' })
    await job.getByText('found it', { exact: true }).waitFor()
    expect(await job.locator('.job-place').textContent()).toBe('server')
    await job.getByRole('radio', { name: 'Errors' }).click()
    await job.getByText('looked in vain', { exact: true }).waitFor()
    expect(await job.getByText('found it', { exact: true }).count()).toBe(0)
    await look('a job’s page', '.window[data-active]')
    await page.getByRole('button', { name: 'Learned from runs' }).click()
    await page.getByRole('list', { name: 'Learned commands, newest first' }).getByRole('listitem').first().waitFor()
    await look('what was learned', '[role=dialog]:not(.window)')
    await page.keyboard.press('Escape')
  })

  it('[AP120][AP121][AP122] by keyboard: found, run again, cancelled and removed', async () => {
    const { page } = display
    await page.getByRole('button', { name: 'Close details' }).click()
    await page.keyboard.press('Control+Shift+E')
    await page.getByRole('button', { name: /^Folder it works on/ }).click()
    await page.getByRole('menuitemcheckbox', { name: '~/work' }).click()
    await page.getByRole('textbox', { name: 'Run a command elsewhere' }).fill('echo begun; sleep 600')
    await page.getByText('Ends by itself ·').waitFor()
    await page.getByRole('button', { name: /^Run on server:/ }).click()
    const list = page.getByRole('list', { name: 'Jobs, newest first' })
    await list.getByText('begun', { exact: true }).waitFor()
    await look('the list of jobs', '.window[data-active]')

    const card = page.getByRole('article', { name: 'Job: echo begun; sleep 600' })
    await card.locator('.followed-line').focus()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter') // the button to cancel, which goes by that
    await list.getByText('Cancelled', { exact: true }).waitFor()
    await card.waitFor({ state: 'detached' })

    await page.getByRole('searchbox', { name: 'Search jobs' }).fill('sleep server')
    const rows = list.locator('[data-job-row]')
    await expect.poll(() => rows.count()).toBe(1)
    await rows.press('Enter')
    await page.getByRole('button', { name: 'Run again', exact: true }).click()
    await expect.poll(() => rows.count()).toBe(2)
    await page.getByRole('button', { name: 'Close details' }).click()
    await rows.first().press('Delete')
    await expect.poll(() => list.getByText('Cancelled', { exact: true }).count()).toBe(2)
    await rows.first().press('Delete')
    await expect.poll(() => rows.count()).toBe(1)
    await expect.poll(() => rows.evaluate((row) => row === document.activeElement)).toBe(true)
    await page.keyboard.press('Delete')
    await page.getByText('No job like that').waitFor()
    await page.getByRole('button', { name: 'Show all jobs' }).click()
    await expect.poll(() => list.getByRole('listitem').count()).toBe(2)
    expect(display.problems).toEqual([])
  })

  it('[JB105] a job that waits for a line gets its terminal by itself, once, and takes no key from who types elsewhere', async () => {
    const { page } = display
    await closeWindows(page)
    const start = async (line: string) => {
      await display.openApp('Files')
      await page.getByRole('option', { name: /^work/ }).dblclick()
      await page.getByRole('option', { name: /^where\.sh/ }).waitFor()
      await page.keyboard.press('Control+Shift+E')
      await page.getByRole('button', { name: 'Folder it works on: ~/work' }).waitFor()
      await page.getByRole('textbox', { name: 'Run a command elsewhere' }).fill(line)
      await page.getByText('Ends by itself ·').waitFor()
      await page.getByRole('button', { name: /^Run on server:/ }).click()
      await page.getByRole('article', { name: `Job: ${line}` }).waitFor()
      await closeWindows(page)
    }
    const jobOf = async (line: string) =>
      (await lab.ask('kitchen', (client) => client.listJobs({}))).find(({ commandLine }) => commandLine === line)
    await writeFile(path.join(work, 'ask.sh'), 'echo "your name?"; read name; echo "hello $name" > hello\n')
    await writeFile(path.join(work, 'later.sh'), 'sleep 3; echo "another name?"; read name\n')
    const asks = 'sh ./ask.sh'
    await start(asks)
    const front = page.locator('.window[data-active] .xterm-rows')
    await front.getByText('your name?').waitFor(PATIENT)
    await look('a job that waits, with its terminal')
    await page.keyboard.type('ada\n')
    await expect.poll(async () => (await jobOf(asks))?.state, PATIENT).toBe('done')
    expect(await readFile(path.join(work, 'hello'), 'utf8')).toBe('hello ada\n')
    await closeWindows(page)

    const later = 'sh ./later.sh'
    await start(later)
    await display.openApp('Terminal')
    const typedInto = page.locator('.window[data-active] .xterm-helper-textarea')
    await expect.poll(() => typedInto.evaluate((one) => one === document.activeElement)).toBe(true)
    const message = page.getByText('A job waits for a line')
    let typed = 0
    while (!(await message.isVisible()) && typed++ < 600) await page.keyboard.type('x', { delay: 100 })
    await expect.poll(() => page.locator('.window').count()).toBe(2)
    expect(await typedInto.evaluate((one) => one === document.activeElement), 'the keyboard stays where it is').toBe(true)
    expect(await front.getByText('another name?').count()).toBe(0)
    await page.getByRole('button', { name: 'Type into it' }).first().click()
    await front.getByText('another name?').waitFor(PATIENT)
    await page
      .locator('.window[data-active]')
      .getByRole('button', { name: /^Close/ })
      .first()
      .click()
    await expect.poll(() => page.locator('.window').count()).toBe(1)
    await page.reload()
    await display.unlock()
    await page.locator('.window').first().waitFor()
    await page
      .getByRole('article', { name: `Job: ${later}` })
      .getByRole('button', { name: 'Type into it' })
      .waitFor(PATIENT)
    expect(await page.locator('.window').count(), 'one that was closed does not come up again').toBe(1)
    const { job = '' } = (await jobOf(later)) ?? {}
    await lab.ask('kitchen', (client) => client.cancelJob({ job }))
    await closeWindows(page)
    expect(display.problems).toEqual([])
  })

  it('[AP122][JB53] a port of a job over there is a button that opens it here', async () => {
    const { page } = display
    const device = lab.machine('server').deviceId
    const { job } = await lab.ask('kitchen', (client) =>
      client.startJob({ commandLine: WEB_SERVER, folder: work, policy: { where: { device } }, network: true, input: false }),
    )
    await display.openApp('Jobs') // the test before closes every window
    await page.locator(`[data-job-row="${job}"]`).click()
    await page.locator('.job-page').getByRole('button', { name: ':8123' }).click()
    await page.frameLocator('.window[data-active] iframe.web-frame').getByText('served over there').waitFor()
    await lab.ask('kitchen', (client) => client.cancelJob({ job }))
    await page.locator('.job-page .job-port').waitFor({ state: 'detached' })
    expect(display.problems).toEqual([])
  })

  it('[JB60][AP128] a job that runs is moved by a drag and by its menu: it ends there and starts anew here, and keeps what it said', async () => {
    const { page } = display
    const device = lab.machine('server').deviceId
    const { job } = await lab.ask('kitchen', (client) =>
      client.startJob({ commandLine: 'echo begun; sleep 600', folder: work, policy: { where: { device } }, input: false }),
    )
    await closeWindows(page)
    await display.openApp('Jobs')
    const row = page.locator(`[data-job-row="${job}"]`)
    await row.click()
    const shown = page.locator('.job-page')
    await shown.getByText('begun', { exact: true }).waitFor()
    await drag(page, await middle(row), { x: 1400, y: 400 }, false)
    await tile('kitchen').getByText('stops where it is, starts anew here').waitFor()
    await page.mouse.move(1402, 402, { steps: 2 })
    await holdOver('kitchen')
    await page.mouse.up()
    await expect.poll(() => row.locator('.job-place').textContent(), PATIENT).toBe('kitchen')
    await shown.getByText('Tried 2 times').click()
    await shown.getByText('moved to another device').waitFor()
    await shown.locator('.job-state').getByText('Running').waitFor()
    expect(await shown.getByText('begun', { exact: true }).count(), 'what was seen already is not shown again').toBe(1)

    await row.click({ button: 'right' })
    await page.getByRole('menuitem', { name: 'Move to (starts anew there)' }).hover()
    await page.getByRole('menuitem', { name: 'server' }).click()
    await expect.poll(() => row.locator('.job-place').textContent(), PATIENT).toBe('server')
    const running = await lab.ask('kitchen', (client) => client.listJobs({}))
    expect(running.find((one) => one.job === job)?.attempts.map(({ ended }) => ended)).toEqual(['moved', 'moved', undefined])
    await lab.ask('kitchen', (client) => client.cancelJob({ job }))
    expect(display.problems).toEqual([])
  })
})
