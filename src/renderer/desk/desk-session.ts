import type { Clock } from '../../base/clock.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { errorCode } from '../../base/errors.ts'
import { errorWords } from '../ui/error-words.ts'
import { WORKSPACE_DOC } from '../../base/ids.ts'
import { toBase58 } from '../../base/base58.ts'
import type { RandomSource } from '../../base/random.ts'
import { type ClassSettling, settleClass, settledOn } from '../../session/class-settling.ts'
import { type DeskSize, displayClassOf } from '../../session/display-class.ts'
import type { SessionCommand } from '../../session/session-command.ts'
import type { SessionState } from '../../session/session-state.ts'
import { WorkspaceDoc } from '../../session/workspace-doc.ts'
import { showToast } from '../ui/toast.tsx'
import { setDragFeed } from './drag-feed.ts'
import { AttachedDocument } from './attached-document.ts'
import { deskNow, useDesk } from './desk-store.ts'
import type { DeviceClient } from './device-connection.ts'
import { followDevices } from './follow-devices.ts'
import { followGuestJobs } from './follow-guest-jobs.ts'
import { followJobs } from './follow-jobs.ts'
import { followWorkflows } from './follow-workflows.ts'
import { useDoor } from './door-store.ts'
import { displayName } from './display-name.ts'
import { DisplayPresence } from './display-presence.ts'
import { addMessage } from './messages-store.ts'
import { useRemoteDrags } from './remote-drags.ts'
import { useSeat } from './seat-store.ts'
import { noteNewTabs } from './tabs-made-here.ts'
import { followUnusedTexts } from './unused-texts.ts'

const ID_BYTES = 16
/** A text that was asked for early and that no editor took by then is given back. */
const EARLY_TEXT_MS = 10_000
/** A device that refused, was sent what it lacks, and refused again (its disk is full) is asked anew this often. */
const REFUSED_AGAIN_MS = 10_000

/**
 * The open desk of an unlocked display: the workspace document and everything that is heard from the device while it is
 * open. Lives until the page is left: a lock reloads the page, so that nothing of it stays in memory.
 */
export class DeskSession implements Disposable {
  readonly #owned = new DisposableStore()
  readonly #document = this.#owned.add(new AttachedDocument(WORKSPACE_DOC))
  readonly #texts = new Set<AttachedDocument>()
  readonly #clock: Clock
  readonly #random: RandomSource
  #workspace: WorkspaceDoc | undefined
  #early: { readonly name: string; readonly opening: Promise<AttachedDocument> } | undefined
  #heard: DisposableStore | undefined
  #settleTimer: Disposable | undefined
  #refusedAtMs = Number.NEGATIVE_INFINITY
  #askAnew: Disposable | undefined
  #measured = false
  #settling: ClassSettling = settledOn(useDesk.getState().displayClass)

  constructor(clock: Clock, random: RandomSource) {
    this.#clock = clock
    this.#random = random
    this.#owned.defer(
      useDoor.subscribe(({ client, door }, before) => {
        if (client === before.client && door === before.door) return
        if (client && door?.phase === 'unlocked') void this.#listen(client)
        else if (!client) this.#detach()
      }),
    )
    const { awareness } = this.#document
    const name = displayName(navigator.userAgent, useDoor.getState().door?.deviceName)
    const presence = new DisplayPresence(awareness, toBase58(random.bytes(ID_BYTES)), name)
    setDragFeed((windowId, rect) => presence.publishDrag(windowId, rect, deskNow()))
    awareness.on('change', () => useRemoteDrags.setState({ drags: presence.drags(deskNow()) }))
    this.#owned.defer(useDesk.subscribe((state) => presence.publish(state)))
    this.#owned.add(this.#document.onDidLoseChannel(({ reason }) => this.#reattach(reason)))
    void this.#document.whenLoaded.then(() => this.#open())
  }

  /** Starts over the connection there is. */
  start(): void {
    const { client, door } = useDoor.getState()
    if (client && door?.phase === 'unlocked') void this.#listen(client)
  }

  /** The desk area was measured. Its class follows once it has held for a while (session rule SE35). */
  resize(desk: DeskSize): void {
    // What the first measure says holds at once: the desk before it was a guess, and nothing was laid out for it.
    const first = !this.#measured
    this.#measured = true
    const displayClass = displayClassOf(desk)
    this.#settling = first ? settledOn(displayClass) : settleClass(this.#settling, displayClass, this.#clock.monotonicMs())
    useDesk.setState({ desk, displayClass: this.#settling.current })
    this.#settleTimer?.dispose()
    const { next } = this.#settling
    if (next) {
      const wait = Math.max(0, next.dueAtMs - this.#clock.monotonicMs()) + 1
      this.#settleTimer = this.#clock.after(wait, () => {
        this.#settling = settleClass(this.#settling, displayClassOf(useDesk.getState().desk), this.#clock.monotonicMs())
        useDesk.setState({ displayClass: this.#settling.current })
      })
    }
  }

  /** Opens a text's document beside the workspace; it is kept attached across reconnects until disposed. Errors of the call are thrown. */
  openText(name: string): Promise<AttachedDocument> {
    const early = this.#early
    if (early?.name !== name) return this.#openText(name)
    this.#early = undefined
    return early.opening
  }

  /** Asks for the text of the window that will have the keys before that window is drawn: its editor takes keys one round trip sooner. */
  #openEarly({ focus, currentActivity, windows, tabs }: SessionState): void {
    const focused = focus[currentActivity]
    const window = focused ? windows[focused] : undefined
    const app = window && tabs[window.activeTab]?.app
    if (app?.kind !== 'editor' || app.textDoc === null) return
    const opening = this.#openText(app.textDoc)
    opening.catch(() => undefined) // whoever takes it is told
    const early = { name: app.textDoc, opening }
    this.#early = early
    const giveUp = () => {
      if (this.#early !== early) return
      this.#early = undefined
      opening.then(
        (text) => this.closeText(text),
        () => undefined, // it was never open
      )
    }
    this.#owned.add(this.#clock.after(EARLY_TEXT_MS, giveUp))
  }

  async #openText(name: string): Promise<AttachedDocument> {
    const text = new AttachedDocument(name)
    // What the other displays write beside this one's cursor; the colour is the activity's, whichever it is there.
    text.awareness.setLocalStateField('user', {
      name: displayName(navigator.userAgent, useDoor.getState().door?.deviceName),
      color: 'var(--accent)',
      colorLight: 'var(--accent-soft)',
    })
    this.#texts.add(text)
    const { client } = useDoor.getState()
    try {
      if (client) await text.attach(client)
      return text
    } catch (error) {
      this.closeText(text)
      throw error
    }
  }

  closeText(text: AttachedDocument): void {
    this.#texts.delete(text)
    text.dispose()
  }

  dispose(): void {
    setDragFeed(undefined)
    this.#settleTimer?.dispose()
    this.#askAnew?.dispose()
    this.#heard?.dispose()
    for (const text of this.#texts) text.dispose()
    this.#workspace?.dispose()
    this.#owned.dispose()
  }

  async #listen(client: DeviceClient): Promise<void> {
    if (this.#heard && this.#client === client) return
    this.#detach()
    this.#client = client
    const heard = new DisposableStore()
    this.#heard = heard
    heard.add(followDevices(client))
    heard.add(followJobs(client))
    heard.add(followGuestJobs(client))
    heard.add(followWorkflows(client))
    heard.add(client.onDidNotify(addMessage))
    heard.add(client.onDidChangeSeat((seat) => useSeat.setState({ seat })))
    heard.add(client.onDidAskSeatQuestion((question) => useSeat.setState({ question })))
    for (const text of this.#texts) void this.#attachText(text, client)
    try {
      await this.#document.attach(client)
      useDesk.setState({ unsent: false })
    } catch (error) {
      if (this.#client === client) this.#detach() // the next change of door or connection tries again
      const now = useDoor.getState()
      if (now.client !== client || now.door?.phase !== 'unlocked') return
      showToast({ title: 'The desk could not be opened', body: errorWords(error), severity: 'error' })
    }
  }

  /** Beside the workspace and apart from it: a text that was saved or closed elsewhere meanwhile is no reason to have no desk. */
  async #attachText(text: AttachedDocument, client: DeviceClient): Promise<void> {
    try {
      await text.attach(client)
    } catch (error) {
      // dropped: the workspace says so too; another connection: it attaches anew
      if (errorCode(error) === 'sync/dropped' || this.#client !== client) return
      showToast({ title: 'A text could not be opened again', body: errorWords(error), severity: 'error' })
    }
  }

  /** The device let go of the workspace while the connection stands: it refused a change, or this display was too slow. */
  #reattach(reason: string): void {
    const { client, door } = useDoor.getState()
    if (!client || client !== this.#client || door?.phase !== 'unlocked') return
    this.#detach()
    if (reason.startsWith('rpc/')) return void this.#listen(client)
    const nowMs = this.#clock.monotonicMs()
    const again = nowMs - this.#refusedAtMs < 2 * REFUSED_AGAIN_MS
    this.#refusedAtMs = nowMs
    if (again) {
      this.#askAnew?.dispose()
      this.#askAnew = this.#clock.after(REFUSED_AGAIN_MS, () => this.start())
      return
    }
    void this.#listen(client)
    showToast({
      title: 'A change was refused by this device',
      body: `What you see may differ from the desk as it is kept (${reason}). Load it anew to be sure.`,
      severity: 'error',
      action: { label: 'Load anew', onSelect: () => location.reload() },
    })
  }

  #client: DeviceClient | undefined

  #detach(): void {
    this.#client = undefined
    this.#heard?.dispose()
    this.#heard = undefined
    this.#document.detach()
    for (const text of this.#texts) text.detach()
  }

  #open(): void {
    const workspace = new WorkspaceDoc(this.#document.doc)
    this.#workspace = workspace
    workspace.migrate()
    const { door } = useDoor.getState()
    workspace.onDidChange(({ state, previous, local }) => {
      if (local) noteNewTabs(previous, state)
      useDesk.setState({ session: state, unsent: this.#document.hasUnsent })
    })
    performance.mark('elsewhere:desk-loaded')
    this.#openEarly(workspace.state)
    this.#owned.add(followUnusedTexts())
    useDesk.setState({
      session: workspace.state,
      deviceId: door?.deviceId ?? '',
      deviceName: door?.deviceName ?? '',
      dispatch: (command) => this.#dispatch(workspace, command),
    })
  }

  #dispatch(workspace: WorkspaceDoc, command: SessionCommand): string | undefined {
    const { desk, displayClass } = useDesk.getState()
    const context = { newId: () => toBase58(this.#random.bytes(ID_BYTES)), nowMs: this.#clock.nowMs(), displayClass, desk }
    try {
      return workspace.dispatch(command, context)?.made
    } catch (error) {
      showToast({ title: 'That could not be done', body: errorWords(error), severity: 'warn' })
      return undefined
    }
  }
}
