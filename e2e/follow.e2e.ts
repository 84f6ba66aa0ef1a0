import { mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { FRESH_CLAIM_MS } from '../src/device/desk/seat-service.ts'
import { whyNoNetLab } from '../src/testkit/netlab.ts'
import { keepEvidence } from './harness/evidence.ts'
import type { E2eDisplay } from './harness/e2e-display.ts'
import { E2eLab, eventually } from './harness/e2e-pair.ts'
import { findings } from './harness/hands.ts'
import { whyNoBrowser } from './harness/chromium.ts'

/** A picture of two pixels. */
const DOT = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAADUlEQVR4nGP4zwAE/wEHAAH/4iOeWQAAAABJRU5ErkJggg==', 'base64')
const why = whyNoNetLab() ?? whyNoBrowser
const namespaceOf = (pid: number) => readlinkSync(`/proc/${pid}/ns/net`)

describe.skipIf(why !== undefined)(`the desk follows its person between two devices${why ? ` (${why})` : ''}`, () => {
  let lab: E2eLab
  let a: E2eDisplay
  let b: E2eDisplay
  /** Of the terminal that follows. */
  let shellPid: string | undefined

  beforeAll(async () => {
    lab = await E2eLab.create('laptop', 'kitchen')
    a = await lab.display('laptop', 'move')
    b = await lab.display('kitchen', 'beside')
  })
  afterEach((context) => keepEvidence(context, { a, b }))
  afterAll(() => lab?.dispose())

  /** Every test here is about two devices: two ids, two data folders, two namespaces, and bytes that crossed the link between them. */
  async function provedFollow<T>(work: () => Promise<T>): Promise<T> {
    const [one, other] = [lab.machine('laptop'), lab.machine('kitchen')]
    expect(one.deviceId).not.toBe(other.deviceId)
    expect(one.device.folder).not.toBe(other.device.folder)
    const [pid, otherPid] = [(await one.device.processes()).device, (await other.device.processes()).device]
    expect(namespaceOf(Number(pid))).not.toBe(namespaceOf(Number(otherPid)))
    expect(namespaceOf(Number(pid))).not.toBe(namespaceOf(process.pid))
    const counters = (await lab.link('laptop', 'kitchen')).lanes?.session
    const before = Number(counters?.sentBytes ?? 0) + Number(counters?.receivedBytes ?? 0)
    const result = await work()
    const after = (await lab.link('laptop', 'kitchen')).lanes?.session
    // A link made anew counts from nothing.
    const moved = Number(after?.sentBytes) + Number(after?.receivedBytes)
    expect(moved - (moved < before ? 0 : before)).toBeGreaterThan(0)
    return result
  }

  const sameDesk = (patienceMs?: number) =>
    eventually(
      'both displays show the same windows in the same places',
      async () => {
        const [left, right] = [await a.windows(), await b.windows()]
        return left.length > 0 && JSON.stringify(left) === JSON.stringify(right) ? left : undefined
      },
      patienceMs,
    )

  it('the link runs over the selected candidate pair of the two machines', async () => {
    const row = await lab.link('laptop', 'kitchen')
    expect(row.state).toBe('linked')
    expect(row.localAddress).toContain(lab.lab.machine('laptop').address)
    expect(row.remoteAddress).toContain(lab.lab.machine('kitchen').address)
  })

  it('windows opened, moved and closed on one are so on the other', async () => {
    await provedFollow(async () => {
      await a.openApp('Files')
      await a.openApp('Settings')
      await b.window('Settings').waitFor()
      await a.dragWindow('Settings', { x: 120, y: 60 })
      const moved = await sameDesk()
      expect(moved.map(({ title }) => title)).toContain('Settings')
      await b
        .window('Settings')
        .getByRole('button', { name: /^Close/ })
        .last()
        .click()
      await eventually('closed on the other too', async () => (await a.windows()).every(({ title }) => title !== 'Settings'))
      await sameDesk()
    })
  })

  it('a terminal keeps its process, its screen and its count, and takes keys on the other display', async () => {
    await provedFollow(async () => {
      await a.openApp('Terminal')
      const terminal = a.desk.locator('.app.terminal').first()
      await terminal.waitFor()
      await eventually('a prompt', async () => /[#$]/.test(await terminal.innerText()))
      await terminal.click()
      await a.page.keyboard.type('n=41; echo "pid=$$"; n=$((n+1)); echo "count=$n"\n')
      const first = await eventually('output', async () => /pid=(\d+)[\s\S]*count=42/.exec(await terminal.innerText()))
      const far = b.desk.locator('.app.terminal').first()
      await eventually('the screen on the other display', async () => (await far.innerText()).includes('count=42'))
      await far.click()
      await b.page.keyboard.type('n=$((n+1)); echo "again=$$ count=$n"\n')
      const second = await eventually('typed from the other display', async () => /again=(\d+) count=43/.exec(await far.innerText()))
      expect(second[1]).toBe(first[1])
      shellPid = first[1]
      await eventually('and seen on the first', async () => (await terminal.innerText()).includes('count=43'))
      expect(readFileSync(`/proc/${first[1]}/comm`, 'utf8')).toContain('sh')
      expect(namespaceOf(Number(first[1]))).toBe(namespaceOf(Number((await lab.machine('laptop').device.processes()).host)))
    })
  })

  it('unsaved text typed on both at once is whole on both', async () => {
    await provedFollow(async () => {
      await a.openApp('Editor')
      const [here, there] = [a, b].map((display) => display.desk.locator('.cm-content').last())
      if (!here || !there) throw new Error('two displays')
      // What the person typed, without the labels that show where other displays' cursors are.
      const textOf = (content: typeof here) =>
        content.evaluate((element) => {
          const copy = element.cloneNode(true) as Element
          for (const label of copy.querySelectorAll('.cm-ySelectionCaret')) label.remove()
          return [...copy.querySelectorAll('.cm-line')].map((line) => line.textContent).join('\n')
        })
      await there.waitFor()
      await here.click()
      await a.page.keyboard.type('first line\n')
      await eventually('the first line on the other', async () => (await textOf(there)).includes('first line'))
      await there.click()
      await b.page.keyboard.press('Control+End')
      await Promise.all([a.page.keyboard.type('from the laptop '), b.page.keyboard.type('from the kitchen ')])
      const typed = 'first line from the laptop from the kitchen '.replaceAll(' ', '').length
      const text = await eventually('equal texts', async () => {
        const [left, right] = [await textOf(here), await textOf(there)]
        return left === right && left.replaceAll(/\s/g, '').length >= typed ? left : undefined
      })
      expect([...text.replaceAll(/\s/g, '')].sort().join('')).toBe([...'firstlinefromthelaptopfromthekitchen'].sort().join(''))
    })
  })

  it('[AP100] [AP101] [AP102] [AP103] [AP104] [AP105] [AP106] [AP107] [AP108] [AP109] [AP111] [AP112] what is made, written and removed in Elsewhere on one is so on the other, and says where it is', async () => {
    await provedFollow(async () => {
      const folder = `Letters ${Date.now()}` // a second try begins anew
      const places = a.page.getByRole('navigation', { name: 'Places' })
      await a.openApp('Files')
      if (!(await places.isVisible())) await a.openApp('Files') // it was in front: the first press put it away
      await places.getByRole('button', { name: /^Home/ }).click()
      const row = (display: E2eDisplay, name: string) => display.page.getByRole('option', { name: new RegExp(`^${name},`) })
      await a.page.getByRole('button', { name: 'New folder' }).first().click()
      await a.page.getByLabel('New name of New folder').fill(folder)
      await a.page.keyboard.press('Enter')
      await row(b, folder).waitFor()
      await row(a, folder).dblclick()
      await a.page.getByText('An empty folder').waitFor()

      await a.openApp('Editor')
      await a.desk.locator('.cm-content:visible').last().click()
      await a.page.keyboard.press('Control+End')
      await a.page.keyboard.type('Dear kitchen,')
      await a.page.keyboard.press('Control+Shift+S')
      const dialog = a.page.getByRole('dialog', { name: 'Save as' })
      await dialog.getByRole('button', { name: /^Place/ }).click()
      await a.page.getByRole('menuitemcheckbox', { name: /^Elsewhere/ }).click()
      await dialog.getByLabel('Path').fill(`/Home/${folder}/hello.md`)
      await dialog.getByRole('button', { name: 'Save', exact: true }).click()
      await dialog.waitFor({ state: 'detached' })

      // Read on the other machine, out of that device's own files process.
      const onKitchen = () =>
        lab.ask('kitchen', async (client) => {
          const [home] = await client.listDatasets({})
          const dataset = String(home?.dataset)
          const { node, isSafe } = await client.datasetAt({ dataset, path: `/${folder}/hello.md` })
          const { base64 } = await client.readDatasetBytes({ dataset, node, offset: 0, length: 500 })
          return { text: atob(base64), isSafe }
        })
      await eventually('the text on the kitchen', async () => (await onKitchen()).text.endsWith('Dear kitchen,'))
      await row(b, 'hello.md').waitFor()
      await eventually('the pane of each says that it is safe', async () => {
        const told = await Promise.all([a, b].map((display) => row(display, 'hello.md').getAttribute('aria-label')))
        return told.every((label) => label?.endsWith('on this device and safe on another'))
      })

      const there = b.desk.locator('.cm-content:visible').last()
      await eventually('the saved text on the other display', async () => (await there.innerText()).includes('Dear kitchen,'))
      await there.click()
      await b.page.keyboard.press('Control+End')
      await b.page.keyboard.type(' and back')
      await b.page.keyboard.press('Control+s')
      const onLaptop = () =>
        lab.ask('laptop', async (client) => {
          const [home] = await client.listDatasets({})
          const dataset = String(home?.dataset)
          const { node } = await client.datasetAt({ dataset, path: `/${folder}/hello.md` })
          return atob((await client.readDatasetBytes({ dataset, node, offset: 0, length: 500 })).base64)
        })
      await eventually('what the kitchen saved, on the laptop', async () => (await onLaptop()).endsWith('Dear kitchen, and back'))

      await a.openApp('Files')
      const [chooser] = await Promise.all([
        a.page.waitForEvent('filechooser'),
        a.page.getByRole('button', { name: 'Put files here' }).click(),
      ])
      const bytes = Buffer.alloc(1_500_000, 'photo')
      await chooser.setFiles([
        { name: 'photo.raw', mimeType: 'application/octet-stream', buffer: bytes },
        { name: 'dot.png', mimeType: 'image/png', buffer: DOT },
      ])
      await row(b, 'photo.raw').click()
      await b.page.getByText('On this device and laptop').waitFor()
      await row(b, 'photo.raw').click({ button: 'right' })
      const [download] = await Promise.all([b.page.waitForEvent('download'), b.page.getByRole('menuitem', { name: 'Download' }).click()])
      expect(readFileSync(await download.path()).equals(bytes)).toBe(true)

      // Looked at without being opened; nothing of a look ever comes from another address than the desk's.
      const looked = b.page.getByRole('complementary', { name: 'Quick look' })
      await row(b, 'hello.md').click()
      await b.page.keyboard.press('Space')
      await looked.getByText('Dear kitchen, and back').waitFor()
      await row(b, 'dot.png').click()
      await looked.getByText('2 × 1').waitFor()
      expect(await findings(b.page, 'quick look', '.files')).toEqual([])
      await b.page.keyboard.press('Space')
      await looked.waitFor({ state: 'detached' })
      await b.page.getByRole('button', { name: 'Show as tiles' }).click()
      await b.page.locator('.files-thumb').waitFor()
      await b.page.getByRole('button', { name: 'Show as a list' }).click()
      await row(a, 'photo.raw').click()
      await a.page.keyboard.press('Control+c')
      await a.page.keyboard.press('Control+v')
      await row(b, 'photo 2.raw').waitFor()
      await places.getByRole('button', { name: 'kitchen' }).click()
      await a.page.getByRole('button', { name: 'Up one folder' }).waitFor()
      await row(b, 'photo 2.raw').waitFor({ state: 'detached' })
      await a.page.getByRole('listbox').press('Control+v')
      await eventually('the copy in the home of the kitchen', async () =>
        readFileSync(path.join(lab.machine('kitchen').device.folder, 'photo.raw')).equals(bytes),
      )
      // A long folder of the other device, page by page, as people count.
      const many = path.join(lab.machine('kitchen').device.folder, 'many')
      mkdirSync(many, { recursive: true })
      for (let count = 0; count < 2_100; count++) writeFileSync(path.join(many, `n ${count}`), '')
      await row(a, 'many').dblclick()
      await row(a, 'n 2').waitFor()
      await a.page.getByRole('listbox').press('End')
      await row(a, 'n 2099').waitFor()
      await places.getByRole('button', { name: /^Home/ }).click()
      await row(a, folder).dblclick()

      // Undone by the key; and given to whatever is outside of the browser.
      await row(a, 'dot.png').click()
      await a.page.keyboard.press('Control+c')
      await a.page.keyboard.press('Control+v')
      await a.page.getByText(`1 file copied to ${folder}`).first().waitFor() // only then it can be undone
      await row(a, 'dot 2.png').waitFor()
      await a.page.getByRole('listbox').press('Control+z')
      await row(a, 'dot 2.png').waitFor({ state: 'detached' })
      const carried = () =>
        row(a, 'dot.png').evaluate((element) => {
          const dataTransfer = new DataTransfer()
          element.dispatchEvent(new DragEvent('dragstart', { bubbles: true, dataTransfer }))
          element.dispatchEvent(new DragEvent('dragend', { bubbles: true, dataTransfer }))
          return dataTransfer.getData('DownloadURL')
        })
      const out = await eventually('it can be dragged out', carried)
      expect(out).toMatch(/^image\/png:dot\.png:http/)
      const link = out.replace('image/png:dot.png:', '')
      const [dropped] = await Promise.all([
        a.page.waitForEvent('download'),
        a.page.evaluate((href) => Object.assign(document.createElement('a'), { href, download: '' }).click(), link),
      ])
      expect(readFileSync(await dropped.path()).equals(DOT)).toBe(true)

      await row(a, 'hello.md').click()
      await a.page.keyboard.press('Delete')
      await row(b, 'hello.md').waitFor({ state: 'detached' })
      await places.getByRole('button', { name: 'Trash' }).click()
      await a.page.getByRole('button', { name: 'Put back hello.md' }).click()
      await a.page.keyboard.press('Escape')
      await row(b, 'hello.md').waitFor()

      // The first version again, by its history; then a text written on both at once.
      await row(a, 'hello.md').click({ button: 'right' })
      await a.page.getByRole('menuitem', { name: 'History…' }).click()
      await a.page.getByRole('list', { name: 'Versions' }).getByRole('button').last().click()
      await a.page.getByRole('group', { name: 'Differences' }).waitFor()
      expect(await findings(a.page, 'the history of a file')).toEqual([])
      await a.page.getByRole('button', { name: 'Restore this version' }).click()
      await eventually('the first version on the kitchen', async () => (await onKitchen()).text.endsWith('Dear kitchen,'))
      const write = (name: string, base: string, text: string) =>
        lab.ask(name, async (client) => {
          const dataset = String((await client.listDatasets({}))[0]?.dataset)
          const { node } = await client.datasetAt({ dataset, path: `/${folder}/hello.md` })
          const { write: id } = await client.beginDatasetWrite({ dataset, to: { node, base } })
          await client.appendDatasetWrite({ write: id, base64: btoa(text) })
          return client.commitDatasetWrite({ write: id })
        })
      const { version } = await lab.ask('laptop', async (client) => {
        const dataset = String((await client.listDatasets({}))[0]?.dataset)
        return client.datasetAt({ dataset, path: `/${folder}/hello.md` })
      })
      await write('laptop', version, 'from the laptop')
      await write('kitchen', version, 'from the kitchen')
      const copy = a.page.getByRole('option', { name: /^hello \(conflict .*a conflict copy/ })
      await copy.click({ button: 'right' })
      await a.page.getByRole('menuitem', { name: 'Choose a version…' }).click()
      await a.page.getByRole('group', { name: 'Differences' }).waitFor()
      expect(await findings(a.page, 'a conflict')).toEqual([])
      // The first is that of the file, by the device that wrote it.
      await a.page
        .getByRole('button', { name: /^Keep that of (laptop|kitchen)$/ })
        .first()
        .click()
      await copy.waitFor({ state: 'detached' })
      await a.page.getByLabel('Filter this folder').fill('photo 2')
      await a.page.getByLabel('Filter this folder').press('Enter')
      await a.page
        .getByRole('list', { name: 'Found' })
        .getByRole('button', { name: /photo 2\.raw/ })
        .click()
      await row(a, 'photo 2.raw').waitFor()
      expect(await findings(a.page, 'the pane of Elsewhere')).toEqual([])

      // The folder as it was before the photo went, then the photo again, then gone for good.
      const photoMs = Math.ceil(Date.now() / 1000) * 1000
      await eventually('the next second', async () => Date.now() > photoMs)
      await row(a, 'photo 2.raw').click()
      await a.page.keyboard.press('Delete')
      await row(a, 'photo 2.raw').waitFor({ state: 'detached' })
      await a.page.getByRole('button', { name: 'This folder' }).click()
      await a.page.getByRole('menuitem', { name: 'As it was…' }).click()
      await a.page.getByLabel('As it was on').fill(localTime(photoMs))
      await a.page.getByRole('button', { name: 'Bring back photo 2.raw' }).waitFor()
      expect(await findings(a.page, 'a folder as it was')).toEqual([])
      await a.page.getByRole('button', { name: 'Bring back photo 2.raw' }).click()
      await a.page.keyboard.press('Escape')
      await row(a, 'photo 2.raw').click()
      await a.page.keyboard.press('Delete')
      await row(b, 'photo 2.raw').waitFor({ state: 'detached' })
      await places.getByRole('button', { name: 'Trash' }).click()
      await a.page.getByRole('button', { name: 'Empty the trash…' }).click()
      await a.page.getByText(/cannot be undone/).waitFor()
      expect(await findings(a.page, 'the trash')).toEqual([])
      await a.page.getByRole('button', { name: 'Empty for good' }).click()
      await a.page.getByText('Nothing in the trash').waitFor()
      await a.page.keyboard.press('Escape')
    })
  })

  it('[AP160] [DL4] a data set made on one is on the other, renamed there, and put away and brought back', async () => {
    await provedFollow(async () => {
      const name = `Work ${Date.now() % 100_000}` // a second try begins anew
      const places = (display: E2eDisplay) => display.page.getByRole('navigation', { name: 'Places' })
      await a.openApp('Files')
      if (!(await places(a).isVisible())) await a.openApp('Files') // it was in front: the first press put it away
      const dialog = (called: string) => a.page.getByRole('dialog', { name: called })
      await places(a).getByRole('button', { name: 'New data set' }).click()
      await dialog('New data set').getByLabel('Name').fill('Home')
      await a.page.keyboard.press('Enter')
      await dialog('New data set').getByRole('alert').waitFor()
      expect(await findings(a.page, 'a new data set')).toEqual([])
      await dialog('New data set').getByLabel('Name').fill(name)
      await dialog('New data set').getByRole('button', { name: 'Make it' }).click()
      await places(a)
        .getByRole('button', { name: new RegExp(`^${name}`) })
        .waitFor()
      const there = places(b).getByRole('button', { name, exact: true })
      await there.waitFor()
      const dataset = async (called: string) =>
        lab.ask('kitchen', async (client) => (await client.listDatasets({})).find((one) => one.name === called)?.dataset)
      expect(await dataset(name)).toBeDefined()
      await a.page.getByText('An empty folder').waitFor()

      const mine = places(a).getByRole('button', { name, exact: true })
      await mine.click({ button: 'right' })
      await a.page.getByRole('menuitem', { name: 'Rename…' }).click()
      await dialog(`Rename ${name}`).getByLabel('Name').fill(`${name}b`)
      await a.page.keyboard.press('Enter')
      await eventually('the other device opens it by its new name', async () => dataset(`${name}b`))
      await places(a)
        .getByRole('button', { name: `${name}b`, exact: true })
        .click({ button: 'right' })
      await a.page.getByRole('menuitem', { name: 'Put away…' }).click()
      await dialog(`Put ${name}b away?`).getByRole('button', { name: 'Put away' }).click()
      await eventually('the other device closes it', async () => (await dataset(`${name}b`)) === undefined)
      await places(a)
        .getByRole('button', { name: `${name}b`, exact: true })
        .waitFor({ state: 'detached' })
      await places(a).getByRole('button', { name: 'New data set' }).click()
      expect(await findings(a.page, 'data sets that were put away')).toEqual([])
      await dialog('New data set')
        .getByRole('listitem')
        .filter({ hasText: `${name}b` })
        .getByRole('button', { name: 'Bring back' })
        .click()
      await eventually('it is back on the other device', async () => dataset(`${name}b`))
      await places(a).getByRole('button', { name: /^Home/ }).click()
    })
  })

  it('cut off from each other both go on, and merge when the cable is back: nothing is lost or doubled', async () => {
    await provedFollow(async () => {
      lab.lab.machine('kitchen').cut()
      await eventually('the cut is noticed', async () => (await lab.link('laptop', 'kitchen')).state !== 'linked')
      await a.openApp('Task manager')
      await b.openApp('Settings')
      await a.window('Settings').waitFor({ state: 'detached' })
      lab.lab.machine('kitchen').heal()
      const merged = await sameDesk(40_000)
      const titles = merged.map(({ title }) => title)
      expect(titles.filter((title) => title === 'Settings')).toHaveLength(1)
      expect(titles.filter((title) => /Tasks|Task manager/.test(title))).toHaveLength(1)
    })
  })

  it('kill -9 of a device loses nothing: its windows are back and the terminal is the same process', async () => {
    await provedFollow(async () => {
      const { device } = lab.machine('laptop')
      const before = await a.windows()
      const { host, device: killed } = await device.processes()
      await lab.requireNoRawFrames()
      await device.kill('device')
      await eventually('another device process', async () => {
        const now = await device.processes()
        return now.device !== undefined && now.device !== killed ? now : undefined
      })
      expect((await device.processes()).host).toBe(host)
      // Its keys were only in its memory: the person unlocks it, and the desk is as it was.
      await a.unlock('beside')
      await eventually('the same windows', async () => JSON.stringify(await a.windows()) === JSON.stringify(before))
      // A window that others cover is not mounted: bring it to the front by its title bar.
      await a.window(/^(~|bash)$/).click({ position: { x: 30, y: 14 } })
      const terminal = a.desk.locator('.app.terminal').first()
      await eventually('the same screen', async () => (await terminal.innerText()).includes('count=43'), 40_000)
      await terminal.click()
      await a.page.keyboard.type('n=$((n+1)); echo "still=$$ count=$n"\n')
      const now = await eventually('it takes keys', async () => /still=(\d+) count=44/.exec(await terminal.innerText()))
      expect(now[1]).toBe(shellPid)
      // Seen from the device that was killed: the other one may not have noticed yet.
      await eventually('linked again', async () => (await lab.link('laptop', 'kitchen')).state === 'linked', 40_000)
      await sameDesk(40_000)
    })
  })

  it('beside leaves the other display open; move locks it, and it says where the desk went', async () => {
    await provedFollow(async () => {
      expect(await a.desk.isVisible()).toBe(true)
      expect(await b.desk.isVisible()).toBe(true)
      await b.close()
      b = await lab.display('kitchen', 'move')
      await a.page.getByText(/^You are on/).waitFor({ timeout: 20_000 })
      expect(await a.desk.isVisible()).toBe(false)
      // Its page has been loaded anew: no document of the desk is left in its memory.
      expect(
        await a.page.evaluate(() => performance.getEntriesByType('navigation').map((entry) => (entry as PerformanceNavigationTiming).type)),
      ).toEqual(['reload'])
      expect(await a.page.locator('.cm-content, .xterm').count()).toBe(0)
      await a.unlock('move')
      await b.page.getByText(/^You are on/).waitFor({ timeout: 20_000 })
    })
  })

  it('[AP74] a display that was cut off is named until it has locked, and one that is used asks: lock here, or stay here', async () => {
    const open = b.desk
    const question = b.page.getByRole('alertdialog', { name: 'You also unlocked elsewhere' })
    const waiting = a.page.getByText('Not yet locked: kitchen. It locks when it is reachable.')
    /** The laptop is unlocked anew while the kitchen cannot hear of it, and somebody sits there. */
    const moveUnheard = async () => {
      lab.lab.machine('kitchen').cut()
      await eventually('the cut is noticed', async () => (await lab.link('laptop', 'kitchen')).state !== 'linked')
      await a.page.getByRole('button', { name: 'Ada: menu' }).click()
      await a.page.getByRole('menuitem', { name: 'Lock this display' }).click()
      await a.unlock('move')
      await waiting.waitFor()
      await a.page.waitForTimeout(FRESH_CLAIM_MS) // before that it counts as what brought the link up
      await b.page.keyboard.press('Shift')
      lab.lab.machine('kitchen').heal()
      await question.getByText(/^You also unlocked on laptop at /).waitFor({ timeout: 40_000 })
    }
    await b.unlock('beside')
    await moveUnheard()
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const { page } of [a, b]) await page.emulateMedia({ colorScheme })
      expect(await findings(a.page, `not yet locked, ${colorScheme}`, '.banners')).toEqual([])
      expect(await findings(b.page, `you also unlocked, ${colorScheme}`, '.banners')).toEqual([])
      if (process.env.ELSEWHERE_SHOTS) {
        await a.screenshot(path.join(process.env.ELSEWHERE_SHOTS, `not-yet-locked-${colorScheme}.png`))
        await b.screenshot(path.join(process.env.ELSEWHERE_SHOTS, `also-unlocked-${colorScheme}.png`))
      }
    }
    await question.getByRole('button', { name: 'Lock here' }).click()
    await b.page.getByText('You are on laptop.').waitFor()
    expect(await open.isVisible()).toBe(false)
    await waiting.waitFor({ state: 'detached' })

    await b.unlock('beside')
    await moveUnheard()
    await question.getByRole('button', { name: 'Stay here' }).click()
    await question.waitFor({ state: 'detached' })
    await a.page.getByText('You are on kitchen.').waitFor({ timeout: 40_000 })
    expect(await open.isVisible()).toBe(true)
  })

  it('no Yjs sync frame ever crossed the link, and no page complained', async () => {
    for (const name of ['laptop', 'kitchen']) {
      const frames = (await lab.frames(name)) ?? {}
      expect(frames.envelopes).toBeGreaterThan(0)
      expect(frames.forbidden).toBe(0)
    }
    expect([...a.problems, ...b.problems].filter((problem) => problem.startsWith('page error'))).toEqual([])
  })
})

/** As a field for date and time has it, to the second. */
function localTime(atMs: number): string {
  const minutes = new Date(atMs).getTimezoneOffset()
  return new Date(atMs - minutes * 60_000).toISOString().slice(0, 19)
}
