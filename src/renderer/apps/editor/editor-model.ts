import { createStore, type StoreApi } from 'zustand/vanilla'
import type { Disposable } from '../../../base/disposable.ts'
import { errorCode } from '../../../base/errors.ts'
import { type EditorDesk, type EditorFacts, type EditorState, NO_FACTS, type SharedText, type TextSurface } from './editor-parts.ts'
import type { LastText, LastTexts } from './last-texts.ts'
import { readLineEnds, writeLineEnds } from './line-ends.ts'
import { carryOver } from './rebase-text.ts'
import { keepBothPath, saveRefused } from './save-buffer.ts'
import { HISTORY_ORIGIN, EditorBuffer } from './editor-buffer.ts'

/** A change of a file arrives in well under a second; after this its other device is taken to be gone. */
const BEHIND_MS = 5_000

/**
 * One editor tab: which text it shows, when that text becomes an unsaved buffer of its own, and how it is saved.
 *
 * Invariants: a saved file is edited in a document of this display alone; the first change moves it to `text/<id>`, which
 * follows the person. A save never overwrites a version that was not read, unless the person says so. Owns the shared
 * document while it is shown.
 */
export class EditorModel implements Disposable {
  readonly facts: StoreApi<EditorFacts> = createStore(() => NO_FACTS)
  readonly #desk: EditorDesk
  readonly #surface: TextSurface
  readonly #last: LastTexts
  readonly #leaving = new AbortController()
  #buffer: EditorBuffer | undefined
  #shared: SharedText | undefined
  /** The shared text was begun here, out of `#base`. */
  #begunHere = false
  #base = ''
  /** The file that is shown, `device path`, and the version its text started from. */
  #file = ''
  #starting: Promise<void> | undefined
  /** The file here is older than what another display saw: what it is by then is shown. */
  #behind: ReturnType<typeof setTimeout> | undefined
  #wanted = ''
  #restored = false

  constructor(desk: EditorDesk, surface: TextSurface, last: LastTexts) {
    this.#desk = desk
    this.#surface = surface
    this.#last = last
  }

  #set(change: Partial<EditorFacts>): void {
    this.facts.setState(change)
  }

  get #gone(): boolean {
    return this.#leaving.signal.aborted
  }

  /** The tab's state or the reach of its device changed: show what it says. */
  follow(reachable: boolean, { device, path, textDoc }: Pick<EditorState, 'device' | 'path' | 'textDoc'> = this.#desk.state()): void {
    if (textDoc !== null) {
      if (this.#shared?.name !== textDoc && this.#wanted !== textDoc) void this.#openShared(textDoc)
    } else if (this.#shared) {
      this.#releaseShared() // saved or given up on another display
      void this.#openFile(device, path)
    } else if (!this.#buffer || this.#file !== fileKey(device, path) || (reachable && this.facts.getState().keptFromMs !== undefined)) {
      void this.#openFile(device, path)
    }
    if (reachable && this.facts.getState().save.phase === 'waiting') void this.save()
  }

  async #openFile(device: string, path: string | null, anyVersion = false): Promise<void> {
    const key = fileKey(device, path)
    this.#wanted = key
    clearTimeout(this.#behind)
    this.#behind = undefined
    if (path === null) return this.#show(EditorBuffer.private('', '\n'), key)
    const calls = this.#desk.calls()
    try {
      if (!calls) throw Object.assign(new Error('this display has lost its device'), { code: 'rpc/closed' })
      const seen = anyVersion ? null : this.#desk.state().version
      const read = await calls.readText({ device, path, ...(seen !== null && { seen }) })
      if (this.#wanted !== key || this.#gone || this.#starting) return
      const { text, lineEnd } = readLineEnds(read.text)
      this.#last.keep(device, path, { text, lineEnd, version: read.version, atMs: this.#desk.nowMs() })
      if (this.#desk.state().version !== read.version) this.#desk.setState({ version: read.version })
      const isShown = this.#file === key && this.#buffer !== undefined && !this.#shared && this.facts.getState().phase === 'ready'
      this.#set({ locked: read.readOnly, keptFromMs: undefined })
      if (isShown && this.#buffer?.lineEnd === lineEnd && this.#base === text && this.#surface.text === text) return
      this.#show(EditorBuffer.private(text, lineEnd), key)
    } catch (error) {
      if (this.#wanted !== key || this.#gone) return
      if (errorCode(error) === 'file/behind') {
        this.#behind ??= setTimeout(() => void this.#openFile(device, path, true), BEHIND_MS)
        return
      }
      const away = ['file/device-away', 'rpc/closed', 'base/bug'].includes(errorCode(error))
      const kept = away ? (this.#last.find(device, path) ?? (await this.#keptByDevice(device, path))) : undefined
      if (this.#wanted !== key || this.#gone) return
      if (!kept) return this.#set({ phase: 'refused', error })
      if (this.#buffer && this.#file === key) return // shown already; it stays
      this.#set({ keptFromMs: kept.atMs })
      this.#show(EditorBuffer.private(kept.text, kept.lineEnd), key)
    }
  }

  /** The text as another display of this device saw it, or this one before it was locked. */
  async #keptByDevice(device: string, path: string): Promise<LastText | undefined> {
    // Unreachable itself, or it cannot say: then there is none, and the refusal of the file is what is told.
    const kept = await this.#desk
      .calls()
      ?.lastText({ device, path })
      .catch(() => null)
    if (!kept) return undefined
    if (this.#desk.state().version === null) this.#desk.setState({ version: kept.version })
    return { ...readLineEnds(kept.text), version: kept.version, atMs: kept.atMs }
  }

  #show(buffer: EditorBuffer, file: string): void {
    this.#buffer = buffer
    this.#file = file
    this.#base = buffer.text.toString()
    this.#surface.show(buffer)
    this.#set({ phase: 'ready', error: undefined, lineEnd: buffer.lineEnd, unsaved: this.#shared !== undefined, onItsWay: false })
    if (this.#restored) return
    this.#restored = true
    const { selection, scrollTop } = this.#desk.state()
    this.#surface.restore({ ...selection, scrollTop })
  }

  async #openShared(name: string): Promise<void> {
    this.#wanted = name
    // Two displays began at the same moment: this one's buffer is not the one that stays, its text is carried over.
    const mine =
      this.facts.getState().unsaved && (this.#begunHere || !this.#shared) ? { base: this.#base, text: this.#surface.text } : undefined
    const late = setTimeout(() => this.#wanted === name && this.#set({ onItsWay: true }), 1_500)
    let shared: SharedText | undefined
    try {
      shared = await this.#desk.openText(name)
      await shared.whenLoaded
      const buffer = new EditorBuffer(shared.doc, shared.awareness)
      await buffer.whenStarted(this.#leaving.signal)
      if (this.#wanted !== name) return this.#desk.closeText(shared)
      this.#releaseShared()
      this.#shared = shared
      const { device, path } = this.#desk.state()
      this.#show(buffer, fileKey(device, path))
      const change = mine && carryOver(mine.base, mine.text, buffer.text.toString())
      if (!change) return
      buffer.doc.transact(() => {
        buffer.text.delete(change.at, change.removed)
        buffer.text.insert(change.at, change.inserted)
      }, HISTORY_ORIGIN)
    } catch (error) {
      if (shared && this.#shared !== shared) this.#desk.closeText(shared)
      if (!this.#gone && this.#wanted === name) this.#set({ phase: 'refused', error })
    } finally {
      clearTimeout(late)
    }
  }

  #releaseShared(): void {
    if (this.#shared) this.#desk.closeText(this.#shared)
    this.#shared = undefined
    this.#begunHere = false
  }

  /** The unsaved text never arrived (the device that holds it is gone): show the file as it is saved. */
  giveUpText(): void {
    this.#wanted = ''
    this.#desk.setState({ textDoc: null })
  }

  /** The person changed the text: from now on it is an unsaved text that follows. */
  handleTyped(): void {
    this.#set({ unsaved: true })
    if (this.facts.getState().save.phase === 'failed') this.#set({ save: { phase: 'idle' } })
    if (!this.#shared && !this.#starting) {
      this.#starting = this.#begin()
        .catch((error) => this.#set({ save: saveRefused(error) })) // what is typed is here alone: said, and tried again with the next key
        .finally(() => {
          this.#starting = undefined
        })
    }
  }

  async #begin(): Promise<void> {
    const from = this.#buffer
    if (!from) return
    const shared = await this.#desk.openText(this.#desk.newTextName())
    await shared.whenLoaded
    if (this.#desk.state().textDoc !== null) return this.#desk.closeText(shared) // another display was first
    const buffer = new EditorBuffer(shared.doc, shared.awareness)
    buffer.start(from.text.toString(), from.lineEnd, from)
    this.#desk.setState({ textDoc: shared.name })
    if (this.#gone) return this.#desk.closeText(shared)
    this.#wanted = shared.name
    this.#shared = shared
    this.#begunHere = true
    this.#buffer = buffer
    this.#surface.show(buffer)
  }

  // --- saving

  /** Saves to the tab's own file, if its version is still the one that was read. Without a path: false, ask for one. */
  async save(options: { overwrite?: boolean } = {}): Promise<boolean> {
    const { device, path, version } = this.#desk.state()
    if (path === null) return false
    if (!this.facts.getState().unsaved && !options.overwrite) return true
    await this.#write(device, path, options.overwrite ? undefined : version)
    return true
  }

  /** Saves under another name or on another device; refuses to replace a file that is there unless told. */
  async saveAs(device: string, path: string, options: { overwrite?: boolean } = {}): Promise<boolean> {
    return this.#write(device, path, options.overwrite ? undefined : null)
  }

  /** Both versions stay: this text gets a name of its own beside the file. */
  async keepBoth(ownDeviceName: string): Promise<string | undefined> {
    const { device, path } = this.#desk.state()
    if (path === null) return undefined
    const beside = keepBothPath(path, ownDeviceName)
    return (await this.#write(device, beside, null)) ? beside : undefined
  }

  /** The file as it is on its device now, for comparing. */
  async readTheirs(): Promise<{ readonly text: string; readonly version: string } | undefined> {
    const { device, path } = this.#desk.state()
    const calls = this.#desk.calls()
    if (path === null || !calls) return undefined
    const read = await calls.readText({ device, path })
    return { text: readLineEnds(read.text).text, version: read.version }
  }

  /** Takes the file's text in place of this one. Can be undone. */
  takeTheirs(theirs: { readonly text: string; readonly version: string }): void {
    this.#surface.replace(theirs.text)
    this.#desk.setState({ version: theirs.version })
    this.#set({ save: { phase: 'idle' } })
  }

  /** The file may have changed while nobody looked: read it again if nothing is unsaved, else say so. */
  async look(): Promise<void> {
    const { device, path, version, textDoc } = this.#desk.state()
    const calls = this.#desk.calls()
    const { phase, save } = this.facts.getState()
    if (path === null || !calls || save.phase === 'saving') return
    if (this.#behind || (phase === 'refused' && textDoc === null)) return this.#openFile(device, path)
    if (phase !== 'ready') return
    if (!this.facts.getState().unsaved) return this.#openFile(device, path)
    try {
      const read = await calls.readText({ device, path })
      const { unsaved, save } = this.facts.getState()
      const isSame = this.#desk.state().version === version // else it was saved while this was read
      if (isSame && read.version !== version && unsaved && save.phase !== 'saving') this.#set({ save: { phase: 'conflict' } })
    } catch {
      // saving will say what is wrong
    }
  }

  async #write(device: string, path: string, expectedVersion: string | null | undefined): Promise<boolean> {
    const calls = this.#desk.calls()
    const buffer = this.#buffer
    if (!buffer || this.facts.getState().save.phase === 'saving') return false
    if (!calls) {
      this.#set({ save: { phase: 'waiting' } })
      return false
    }
    this.#set({ save: { phase: 'saving' } })
    const text = this.#surface.text
    try {
      const file = { device, path, text: writeLineEnds(text, buffer.lineEnd) }
      const { version } = await calls.writeText(expectedVersion === undefined ? file : { ...file, expectedVersion })
      this.#last.keep(device, path, { text, lineEnd: buffer.lineEnd, version, atMs: this.#desk.nowMs() })
      await this.#starting
      this.#set({ save: { phase: 'idle' }, keptFromMs: undefined, locked: false })
      if (this.#surface.text === text) this.#settle(device, path, version)
      else this.#desk.setState({ device, path, version }) // typed on meanwhile: still unsaved
      return true
    } catch (error) {
      this.#set({ save: saveRefused(error) })
      return false
    }
  }

  /** What is shown is what the file holds: the buffer of its own is no longer needed, its steps are kept here. */
  #settle(device: string, path: string, version: string): void {
    const before = this.#buffer as EditorBuffer
    const buffer = EditorBuffer.private(before.text.toString(), before.lineEnd, before)
    this.#desk.setState({ device, path, version, textDoc: null })
    this.#releaseShared()
    this.#wanted = fileKey(device, path)
    this.#show(buffer, this.#wanted)
  }

  dispose(): void {
    this.#leaving.abort()
    clearTimeout(this.#behind)
    this.#releaseShared()
  }
}

const fileKey = (device: string, path: string | null): string => `${device} ${path ?? ''}`
