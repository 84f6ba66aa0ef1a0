import { type RefObject, useEffect, useEffectEvent, useReducer, useRef, useState } from 'react'
import { DisposableStore } from '../../../base/disposable.ts'
import { errorCode } from '../../../base/errors.ts'
import type { TerminalSize } from '../../../jobs/terminal-frames-contract.ts'
import type { AppStateOf } from '../../../session/app-state.ts'
import { useSession } from '../../desk/desk-store.ts'
import { useClient } from '../../desk/app-desk.ts'
import type { DeviceClient } from '../../desk/device-connection.ts'
import { forgetTerminalWords, noteTerminalWords } from '../../desk/terminal-words.ts'
import { isMadeHere, noteMadeHere } from '../../desk/tabs-made-here.ts'
import { openApp, useDeviceReachable, useDeviceRow } from '../app-hooks.ts'
import type { AppProps } from '../app-props.ts'
import { useHome } from '../use-home.ts'
import { TerminalAttachment } from './terminal-attachment.ts'
import { TerminalScreen } from './terminal-screen.ts'
import { CONNECTING, reattachDelayMs, reduceTerminalView, type TerminalFact, terminalTitle, type TerminalView } from './terminal-view.ts'

export interface TerminalHandle {
  readonly place: RefObject<HTMLDivElement | null>
  readonly view: TerminalView
  readonly screen: TerminalScreen | undefined
  /** What this display's window would hold; differs from the live size while another display's rules. */
  readonly own: TerminalSize
  /** The program rang and nobody has typed here since. */
  readonly rang: boolean
  startAgain(): void
  tryNow(): void
}

const FIRST_SIZE: TerminalSize = { columns: 80, rows: 24 }
/** A resize storm (a window being dragged) becomes one message. */
const RESIZE_PAUSE_MS = 80
/** The display that opened the tab starts its shell; if that one is gone, another does after this wait. */
const ORPHAN_WAIT_MS = 4_000

/** Joins one tab to its terminal: opens it when it is new, attaches, attaches again when its device is back, and never runs anything twice. */
export function useTerminal({ tabId, state, setState, active }: AppProps<AppStateOf<'terminal'>>, fontPx: number): TerminalHandle {
  const { device, terminalId } = state
  const client = useClient()
  const reachable = useDeviceReachable(device)
  const roundTripMs = useDeviceRow(device)?.roundTripMs
  const place = useRef<HTMLDivElement>(null)
  const attachment = useRef<TerminalAttachment>(undefined)
  const opening = useRef(false)
  const tries = useRef(0)
  const [screen, setScreen] = useState<TerminalScreen>()
  const [view, tell] = useReducer(reduceTerminalView, CONNECTING)
  const [own, setOwn] = useState(FIRST_SIZE)
  const [rang, setRang] = useState(false)
  const again = useRef<() => void>(undefined)

  // The screen lives as long as the tab is mounted.
  const makeScreen = useEffectEvent((element: HTMLElement) => {
    const made = new TerminalScreen(element, { fontPx, openLink: (url) => openApp({ kind: 'web', url }) })
    made.onDidType((keys) => {
      setRang(false)
      attachment.current?.type(keys)
    })
    made.onDidRing(() => setRang(true))
    made.onDidChangeSelection(() => noteTerminalWords(tabId, { selection: made.selection }))
    made.onDidRunCommand((lastCommand) => noteTerminalWords(tabId, { lastCommand }))
    setScreen(made)
    return made
  })
  useEffect(() => {
    const element = place.current
    if (!element) return
    let made: TerminalScreen | undefined
    let gone = false
    // Cells are measured once: with the wrong font they would stay wrong.
    void document.fonts.load('13px "JetBrains Mono Variable"').then(() => {
      if (!gone) made = makeScreen(element)
    })
    return () => {
      gone = true
      made?.dispose()
      setScreen(undefined)
      forgetTerminalWords(tabId)
    }
  }, [tabId])

  // Its own size follows the window and the font.
  useEffect(() => {
    if (!screen || !place.current) return
    let timer: ReturnType<typeof setTimeout> | undefined
    const measure = () => {
      const size = screen.ownSize()
      if (!size) return
      setOwn((before) => (before.columns === size.columns && before.rows === size.rows ? before : size))
      attachment.current?.fit(size)
      screen.show(attachment.current?.size ?? size, size)
    }
    const later = () => {
      clearTimeout(timer)
      timer = setTimeout(measure, RESIZE_PAUSE_MS)
    }
    screen.setFont(fontPx)
    const observer = new ResizeObserver(later) // tells the first size by itself
    observer.observe(place.current)
    return () => {
      clearTimeout(timer)
      observer.disconnect()
    }
  }, [screen, fontPx])

  // A new terminal: opening asks nothing.
  const open = useEffectEvent(async () => {
    if (!client || !screen || opening.current) return
    opening.current = true
    const cwd = state.cwd ?? undefined
    try {
      const info = await client.openTerminal({ device, tab: tabId, ...(cwd && { cwd }), ...(screen.ownSize() ?? FIRST_SIZE) })
      setState({ terminalId: info.terminalId, cwd: info.cwd })
    } catch (error) {
      tell({ type: 'refused', error })
    } finally {
      opening.current = false
    }
  })
  useEffect(() => {
    if (terminalId !== null || !reachable || !client || !screen) return
    again.current = () => void open()
    if (isMadeHere(tabId)) return void open()
    const timer = setTimeout(() => void open(), ORPHAN_WAIT_MS)
    return () => clearTimeout(timer)
  }, [terminalId, tabId, reachable, client, screen])

  useEffect(() => {
    if (!client || !screen || terminalId === null) return
    const at = { device, terminalId }
    const listening = client.onDidChangeTerminal((info) => {
      if (info.terminalId === terminalId && info.device === device) tell({ type: 'info', info })
    })
    const hold = (made: TerminalAttachment | undefined) => {
      attachment.current = made
    }
    let owned = new DisposableStore()
    const join = () => {
      owned.dispose()
      owned = new DisposableStore()
      const joining = { client, screen, at, owned, tell, hold }
      void (reachable ? attach(joining) : showLastScreen(joining))
    }
    again.current = join
    join()
    return () => {
      again.current = undefined
      attachment.current = undefined
      listening.dispose()
      owned.dispose()
    }
  }, [client, screen, device, terminalId, reachable])

  // Away although its device seems to be there: try again, ever more gently.
  useEffect(() => {
    if (view.phase === 'live') tries.current = 0
    if (view.phase !== 'away' || !reachable) return
    const timer = setTimeout(() => again.current?.(), reattachDelayMs(tries.current++))
    return () => clearTimeout(timer)
  }, [view, reachable])

  // What others see of this tab while it is not mounted.
  const info = view.phase === 'live' ? view.info : undefined
  const { home } = useHome(device)
  const title = info && terminalTitle(info, home)
  const cwd = info?.cwd
  const keepTitle = useEffectEvent((newTitle: string, newCwd: string) => {
    if (state.title !== newTitle || state.cwd !== newCwd) setState({ title: newTitle.slice(0, 200), cwd: newCwd })
  })
  useEffect(() => {
    if (title !== undefined && cwd !== undefined) keepTitle(title, cwd)
  }, [title, cwd])

  useEffect(() => screen?.suggestRoundTrip(roundTripMs), [screen, roundTripMs])
  const guesses = useSession((session) => session.preferences.terminalGuesses)
  useEffect(() => screen?.setGuessing(guesses), [screen, guesses])
  useEffect(() => {
    if (active) screen?.focus()
  }, [active, screen])
  useEffect(() => screen?.setReadOnly(view.phase !== 'live'), [view.phase, screen])

  const startAgain = () => {
    screen?.clear()
    setRang(false)
    tell({ type: 'attaching' })
    noteMadeHere(tabId)
    setState({ terminalId: null })
  }
  return { place, view, screen, own, rang, startAgain, tryNow: () => again.current?.() }
}

interface Joining {
  readonly client: DeviceClient
  readonly screen: TerminalScreen
  readonly at: { readonly device: string; readonly terminalId: string }
  readonly owned: DisposableStore
  readonly tell: (fact: TerminalFact) => void
  readonly hold: (made: TerminalAttachment | undefined) => void
}

async function attach(joining: Joining): Promise<void> {
  const { client, screen, at, owned, tell, hold } = joining
  tell({ type: 'attaching' })
  try {
    const own = screen.ownSize() ?? FIRST_SIZE
    const made = owned.add(await TerminalAttachment.attach(client, at, own, screen))
    if (owned.isDisposed) return
    hold(made)
    made.onDidResize((size) => {
      screen.show(size, screen.ownSize() ?? size)
      tell({ type: 'resized', size })
    })
    made.onDidExit((exit) => tell({ type: 'exited', ...exit }))
    made.onDidClose(() => {
      hold(undefined)
      tell({ type: 'detached', atMs: Date.now() })
    })
    screen.show(made.size, own)
    tell({ type: 'attached', info: made.info, size: made.size })
    made.start()
  } catch (error) {
    if (owned.isDisposed) return
    tell({ type: 'refused', error })
    if (errorCode(error) === 'terminal/device-away') await showLastScreen(joining)
  }
}

async function showLastScreen({ client, screen, at, owned, tell }: Joining): Promise<void> {
  const kept = await client.lastScreen(at).catch(() => null) // none kept, or the connection broke: the sentence says so
  if (owned.isDisposed) return
  if (kept) {
    screen.clear()
    screen.write(kept.screen, () => {})
  }
  tell({ type: 'last-screen', atMs: kept?.atMs })
}
