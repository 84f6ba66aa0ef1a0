import { expect, it, vi } from 'vitest'
import { Awareness } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { appState } from '../../../session/app-state.ts'
import type { EditorBuffer } from './editor-buffer.ts'
import { EditorModel } from './editor-model.ts'
import type { EditorState, SharedText } from './editor-parts.ts'
import { LastTexts } from './last-texts.ts'
import { changeBetween } from './rebase-text.ts'

const coded = (code: string) => Object.assign(new Error('said by the device'), { code })
const blank = appState.parse({ kind: 'editor', device: 'server', path: null, textDoc: null, version: null }) as EditorState

/** One person's desk: files of one device, shared documents, and the tab's state that every display sees. */
class World {
  readonly files = new Map<string, { text: string; version: string }>()
  readonly docs = new Map<string, Y.Doc>()
  readonly last = new LastTexts()
  readonly keptByDevice = new Map<string, { text: string; version: string; atMs: number }>()
  state: EditorState
  away = false
  refuse: string | undefined
  refuseTexts: string | undefined
  #version = 0
  names = 0

  constructor(state: Partial<EditorState> = {}) {
    this.state = { ...blank, ...state }
  }

  write(path: string, text: string): string {
    const version = `v${++this.#version}`
    this.files.set(path, { text, version })
    return version
  }
}

/** A display of this desk; typing in it goes the way the editor's surface goes. */
function display(world: World) {
  let shown: EditorBuffer | undefined
  const surface = {
    get text() {
      return shown?.text.toString() ?? ''
    },
    show(buffer: EditorBuffer) {
      shown = buffer
    },
    restore: vi.fn<(place: { anchor: number; head: number; scrollTop: number }) => void>(),
    replace(text: string) {
      type(text, 'input.paste') // as EditorSurface does: never part of a word being typed
    },
  }
  const calls = {
    async lastText({ path }: { path: string }) {
      return world.keptByDevice.get(path) ?? null
    },
    async readText({ path }: { path: string }) {
      if (world.away) throw coded('file/device-away')
      const file = world.files.get(path)
      if (!file) throw coded('file/not-found')
      return { ...file, readOnly: false }
    },
    async writeText(file: { path: string; text: string; expectedVersion?: string | null }) {
      if (world.away) throw coded('file/device-away')
      if (world.refuse) throw coded(world.refuse)
      const there = world.files.get(file.path)
      if (file.expectedVersion !== undefined && (there?.version ?? null) !== file.expectedVersion) throw coded('file/changed')
      return { version: world.write(file.path, file.text) }
    },
  }
  const model = new EditorModel(
    {
      calls: () => calls,
      openText: async (name): Promise<SharedText> => {
        if (world.refuseTexts) throw coded(world.refuseTexts)
        const doc = world.docs.get(name) ?? new Y.Doc()
        world.docs.set(name, doc)
        return { name, doc, awareness: new Awareness(doc), whenLoaded: Promise.resolve() }
      },
      closeText: () => {},
      newTextName: () => `text/n${world.names++}`,
      nowMs: () => 1_000,
      state: () => world.state,
      setState: (change) => {
        world.state = { ...world.state, ...change }
      },
    },
    surface,
    world.last,
  )
  const type = (text: string, kind = 'input.type') => {
    const change = changeBetween(surface.text, text)
    if (!shown || !change) return
    const removed = surface.text.slice(change.at, change.at + change.removed)
    shown.text.delete(change.at, change.removed)
    shown.text.insert(change.at, change.inserted)
    shown.history.record([{ at: change.at, removed, inserted: change.inserted }], kind, 0)
    model.handleTyped()
  }
  const settle = async () => {
    for (let i = 0; i < 20; i++) await Promise.resolve()
  }
  return {
    model,
    surface,
    type: async (text: string) => {
      type(text)
      await settle()
    },
    undo: () => shown?.history.undo(),
    follow: async (reachable = true) => {
      model.follow(reachable)
      await settle()
    },
    facts: () => model.facts.getState(),
  }
}

it('[AP21] the first change makes an unsaved text that another display shows, cursor and undo included', async () => {
  const world = new World({ path: '/n.md', selection: { anchor: 2, head: 4 }, scrollTop: 30 })
  world.write('/n.md', 'one')
  const here = display(world)
  await here.follow()
  expect([here.surface.text, here.facts().unsaved, world.state.textDoc]).toEqual(['one', false, null])
  expect(here.surface.restore).toHaveBeenCalledWith({ anchor: 2, head: 4, scrollTop: 30 })
  await here.type('one two')
  expect([world.state.textDoc, world.state.version, here.facts().unsaved]).toEqual(['text/n0', 'v1', true])

  const there = display(world)
  await there.follow()
  expect([there.surface.text, there.facts().unsaved]).toEqual(['one two', true])
  there.undo()
  expect(there.surface.text).toBe('one')
})

it('[AP25] saving writes the file, drops the buffer, and what was typed can still be undone', async () => {
  const world = new World({ path: '/n.md' })
  world.write('/n.md', 'a\r\nb\r\n')
  const here = display(world)
  await here.follow()
  await here.type('a\nb\nc\n')
  await here.model.save()
  expect(world.files.get('/n.md')).toEqual({ text: 'a\r\nb\r\nc\r\n', version: 'v2' })
  expect([world.state.textDoc, world.state.version, here.facts().unsaved]).toEqual([null, 'v2', false])
  here.undo()
  expect(here.surface.text).toBe('a\nb\n')
})

it('[AP25] a file that changed meanwhile is never overwritten unasked; both can be kept, or mine put over it', async () => {
  const world = new World({ path: '/n.md' })
  world.write('/n.md', 'one')
  const here = display(world)
  await here.follow()
  await here.type('mine')
  world.write('/n.md', 'theirs')
  await here.model.save()
  expect([world.files.get('/n.md')?.text, here.facts().save.phase, here.facts().unsaved]).toEqual(['theirs', 'conflict', true])
  expect(await here.model.keepBoth('laptop')).toBe('/n (from laptop).md')
  expect(world.files.get('/n (from laptop).md')?.text).toBe('mine')
  expect([world.files.get('/n.md')?.text, world.state.path, world.state.textDoc]).toEqual(['theirs', '/n (from laptop).md', null])

  await here.type('mine again')
  world.write('/n (from laptop).md', 'theirs again')
  await here.model.save({ overwrite: true })
  expect(world.files.get('/n (from laptop).md')?.text).toBe('mine again')
})

it('[AP25] taking the file’s text can be undone', async () => {
  const world = new World({ path: '/n.md' })
  world.write('/n.md', 'one')
  const here = display(world)
  await here.follow()
  await here.type('mine')
  world.write('/n.md', 'theirs')
  const theirs = await here.model.readTheirs()
  if (theirs) here.model.takeTheirs(theirs)
  expect([here.surface.text, world.state.version]).toEqual(['theirs', 'v2'])
  here.undo()
  expect(here.surface.text).toBe('mine')
})

it('[AP29] while the device is away the last text is shown and edited, saving waits, and happens when it is back', async () => {
  const world = new World({ path: '/n.md' })
  world.write('/n.md', 'one')
  await display(world).follow()
  world.away = true
  const here = display(world)
  await here.follow(false)
  expect([here.surface.text, here.facts().keptFromMs]).toEqual(['one', 1_000])
  await here.type('one more')
  await here.model.save()
  expect([here.facts().save.phase, here.facts().unsaved, world.state.textDoc]).toEqual(['waiting', true, 'text/n0'])
  world.away = false
  await here.follow(true)
  expect([world.files.get('/n.md')?.text, here.facts().save.phase, world.state.textDoc]).toEqual(['one more', 'idle', null])
})

it('[AP29] a text that another display of this device saw is shown, edited, and saved when the device of the file is back', async () => {
  const world = new World({ path: '/n.md' })
  const version = world.write('/n.md', 'kept\r\nthere')
  world.keptByDevice.set('/n.md', { text: 'kept\r\nthere', version, atMs: 500 })
  world.away = true
  const here = display(world)
  await here.follow(false)
  expect([here.surface.text, here.facts().keptFromMs, here.facts().lineEnd, world.state.version]).toEqual([
    'kept\nthere',
    500,
    '\r\n',
    version,
  ])
  await here.type('kept\nthere, and more')
  await here.model.save()
  world.away = false
  await here.follow(true)
  expect([world.files.get('/n.md')?.text, here.facts().save.phase]).toEqual(['kept\r\nthere, and more', 'idle'])
})

it('[AP29] a file never seen here is not invented while its device is away', async () => {
  const world = new World({ path: '/n.md' })
  world.away = true
  const here = display(world)
  await here.follow(false)
  expect([here.facts().phase, here.surface.text]).toEqual(['refused', ''])
})

it('[AP25] a new text asks for a name; it refuses to replace a file that is there', async () => {
  const world = new World()
  world.write('/taken', 'theirs')
  const here = display(world)
  await here.follow()
  await here.type('mine')
  expect(await here.model.save()).toBe(false)
  expect(await here.model.saveAs('server', '/taken')).toBe(false)
  expect(world.files.get('/taken')?.text).toBe('theirs')
  expect(await here.model.saveAs('server', '/free')).toBe(true)
  expect([world.files.get('/free')?.text, world.state.path, world.state.textDoc]).toEqual(['mine', '/free', null])
})

it('[AP25] a disk that is full keeps the text and says so', async () => {
  const world = new World({ path: '/n.md' })
  world.write('/n.md', 'one')
  world.refuse = 'file/disk-full'
  const here = display(world)
  await here.follow()
  await here.type('two')
  await here.model.save()
  expect(here.facts()).toMatchObject({ unsaved: true, save: { phase: 'failed', code: 'file/disk-full' } })
})

it('[AP24] two displays that begin at the same moment end with one buffer that has both changes', async () => {
  const world = new World({ path: '/n.md' })
  world.write('/n.md', 'middle')
  const here = display(world)
  const there = display(world)
  await here.follow()
  await there.follow()
  const first = here.type('start middle')
  const second = there.type('middle end')
  await Promise.all([first, second])
  await here.follow()
  await there.follow()
  expect(
    world.docs
      .get(world.state.textDoc ?? '')
      ?.getText('text')
      .toString(),
  ).toBe('start middle end')
  expect([here.surface.text, there.surface.text]).toEqual(['start middle end', 'start middle end'])
})

it('[AP21] a text that has not arrived is waited for, and the saved file can be opened instead', async () => {
  const world = new World({ path: '/n.md', textDoc: 'text/elsewhere' })
  world.write('/n.md', 'saved')
  const here = display(world)
  await here.follow()
  expect([here.facts().phase, here.surface.text]).toEqual(['loading', ''])
  here.model.giveUpText()
  await here.follow()
  expect([here.facts().phase, here.surface.text]).toEqual(['ready', 'saved'])
})

it('[AP26] a file that cannot be shown as text is refused with the device’s reason', async () => {
  const world = new World({ path: '/missing' })
  const here = display(world)
  await here.follow()
  expect(here.facts()).toMatchObject({ phase: 'refused', error: { code: 'file/not-found' } })
})

it('[AP21] a text that cannot follow says so, and follows with the next key once it can', async () => {
  const world = new World({ path: '/n.md' })
  world.write('/n.md', 'one')
  const here = display(world)
  await here.follow()
  world.refuseTexts = 'sync/too-many-documents'
  await here.type('one two')
  expect([here.surface.text, here.facts().unsaved, world.state.textDoc]).toEqual(['one two', true, null])
  expect(here.facts().save).toMatchObject({ phase: 'failed', code: 'sync/too-many-documents' })
  world.refuseTexts = undefined
  await here.type('one two three')
  expect([world.state.textDoc, here.facts().save.phase]).toEqual(['text/n1', 'idle'])
  expect(world.docs.size).toBe(1)
})
