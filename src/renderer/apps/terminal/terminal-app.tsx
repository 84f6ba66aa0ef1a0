import { BellDot, RotateCw } from 'lucide-react'
import { type DragEvent, type KeyboardEvent, type MouseEvent, useState } from 'react'
import { errorWords } from '../../ui/error-words.ts'
import type { AppStateOf } from '../../../session/app-state.ts'
import { dispatch, useSession } from '../../desk/desk-store.ts'
import { keysOf } from '../../desk/keymap-store.ts'
import { askForCommand } from '../../desk/run-plan-store.ts'
import { asCommandLine, terminalWords } from '../../desk/terminal-words.ts'
import { Button } from '../../ui/button.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { openContextMenu } from '../../ui/menu.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { showToast } from '../../ui/toast.tsx'
import { closeTab, deviceNameNow, useDeviceName, useDeviceReachable, useIsLate, useNow, useOwnDevice } from '../app-hooks.ts'
import type { AppProps } from '../app-props.ts'
import { FILES_DRAG_TYPE, readFilesPayload, shellQuote } from '../drag-payload.ts'
import { agoText } from '../plain-words.ts'
import { Strip } from '../strip.tsx'
import { FindBar } from './find-bar.tsx'
import { exitSentence } from './terminal-view.ts'
import { useSelectionDrag } from './use-selection-drag.ts'
import { useTerminal } from './use-terminal.ts'
import './terminal.css'

const MIN_FONT_PX = 8
const MAX_FONT_PX = 40

/** A shell on one of my devices: this display looks at it and types into it; the program itself stays where it was started. */
export default function TerminalApp(props: AppProps<AppStateOf<'terminal'>>) {
  const { state } = props
  const fontPx = useSession((session) => session.preferences.terminalFontPx)
  const deviceName = useDeviceName(state.device)
  const ownDevice = useOwnDevice()
  const reachable = useDeviceReachable(state.device)
  const [finding, setFinding] = useState(false)
  const now = useNow()

  const zoom = (to: number) =>
    dispatch({ type: 'preferences/set', values: { terminalFontPx: Math.max(MIN_FONT_PX, Math.min(MAX_FONT_PX, to)) } })
  const terminal = useTerminal(props, fontPx)
  const { place, view, screen, own } = terminal
  const act = (action: TerminalAction) => {
    switch (action) {
      case 'copy':
        return void copy(screen?.selection ?? '')
      case 'paste':
        return void paste((text) => screen?.paste(text))
      case 'find':
        return setFinding(true)
      case 'larger':
        return zoom(fontPx + 1)
      case 'smaller':
        return zoom(fontPx - 1)
      case 'normal':
        return zoom(13)
    }
  }
  const handleKey = (event: KeyboardEvent) => {
    const run = event.ctrlKey && event.shiftKey && !event.altKey && !event.metaKey ? OWN_KEYS[event.code] : undefined
    if (!run) return
    event.preventDefault()
    event.stopPropagation()
    act(run)
  }
  const late = useIsLate(view.phase === 'connecting' && !view.again)

  const handleMenu = (event: MouseEvent<HTMLElement>) => {
    const commandHere = asCommandLine(screen?.selection ?? '') ?? asCommandLine(terminalWords(props.tabId).lastCommand)
    const isHere = state.device === ownDevice
    const folderHere = isHere ? cwd : undefined
    const notElsewhere = isHere ? 'Select a command, or run one first' : `Its folder lies on ${deviceName}`
    openContextMenu(event, 'Terminal', [
      {
        label: 'Copy',
        shortcut: 'Ctrl+Shift+C',
        disabledBecause: screen?.selection ? undefined : 'Nothing is selected',
        onSelect: () => act('copy'),
      },
      {
        label: 'Paste',
        shortcut: 'Ctrl+Shift+V',
        disabledBecause: view.phase === 'live' ? undefined : 'The program is not there',
        onSelect: () => act('paste'),
      },
      {
        label: commandHere === undefined ? 'Run elsewhere' : `Run elsewhere: ${shortened(commandHere)}`,
        shortcut: keysOf('elsewhere'),
        disabledBecause: commandHere === undefined || !isHere ? notElsewhere : undefined,
        onSelect: () => askForCommand({ line: commandHere ?? '', ...(folderHere !== undefined && { folder: folderHere }) }),
      },
      { label: 'Select all', onSelect: () => screen?.selectAll() },
      'separator',
      { label: 'Find', shortcut: 'Ctrl+Shift+F', onSelect: () => act('find') },
      { label: 'Larger text', shortcut: 'Ctrl+Shift+Plus', onSelect: () => act('larger') },
      { label: 'Smaller text', shortcut: 'Ctrl+Shift+-', onSelect: () => act('smaller') },
      { label: 'Normal text', shortcut: 'Ctrl+Shift+0', onSelect: () => act('normal') },
    ])
  }
  const cwd = (view.phase === 'live' ? view.info.cwd : state.cwd) || undefined
  const dragging = useSelectionDrag(screen, () => ({ device: state.device, path: cwd }))
  const handleDrop = (event: DragEvent) => {
    const files = readFilesPayload(event.dataTransfer)
    if (!files) return
    event.preventDefault()
    if (files.device === state.device) return screen?.paste(`${files.paths.map(shellQuote).join(' ')} `)
    showToast({
      severity: 'warn',
      title: 'That file is on another device',
      body: `It lies on ${deviceNameNow(files.device)}; the program here runs on ${deviceName} and could not find it.`,
    })
  }
  const letterboxed = view.phase === 'live' && (view.size.columns !== own.columns || view.size.rows !== own.rows)

  return (
    <div className="app terminal" data-phase={view.phase}>
      {view.phase === 'away' && (
        <Strip kind="away" actions={reachable && <Button onClick={terminal.tryNow}>Try now</Button>}>
          {awaySentence(deviceName, view.screenAtMs, now)}
        </Strip>
      )}
      {view.phase === 'exited' && (
        <Strip
          actions={
            <>
              <Button icon={<RotateCw aria-hidden="true" />} onClick={terminal.startAgain}>
                Start again
              </Button>
              <Button variant="quiet" onClick={() => closeTab(props.tabId)}>
                Close
              </Button>
            </>
          }
        >
          {exitSentence(view.code, view.signal)}
        </Strip>
      )}
      <div
        className="app-body terminal-body"
        data-keys="terminal"
        {...dragging}
        onKeyDown={handleKey}
        onContextMenu={handleMenu}
        onDragOver={(event) => event.dataTransfer.types.includes(FILES_DRAG_TYPE) && event.preventDefault()}
        onDrop={handleDrop}
      >
        <div ref={place} className="terminal-place" />
        {late && <Skeleton lines={3} label={`Connecting to ${deviceName}`} />}
        {view.phase === 'failed' && (
          <ErrorState
            title="The terminal could not be opened"
            error={Object.assign(new Error(view.message), { code: view.code })}
            safe="Nothing was started or ended by this."
            action={<Button onClick={terminal.tryNow}>Try again</Button>}
          />
        )}
        {finding && <FindBar screen={screen} label="Find in this terminal" onClose={() => setFinding(false)} />}
        {letterboxed && (
          <p className="terminal-note" role="status">
            Sized for another display ({view.size.columns} × {view.size.rows}). Type to fit it here.
          </p>
        )}
        {terminal.rang && !props.active && (
          <span className="terminal-bell" role="status">
            <BellDot aria-hidden="true" />
            <span className="visually-hidden">The program rang</span>
          </span>
        )}
      </div>
    </div>
  )
}

type TerminalAction = 'copy' | 'paste' | 'find' | 'larger' | 'smaller' | 'normal'
const OWN_KEYS: Readonly<Record<string, TerminalAction>> = {
  KeyC: 'copy',
  KeyF: 'find',
  Equal: 'larger',
  NumpadAdd: 'larger',
  Minus: 'smaller',
  NumpadSubtract: 'smaller',
  Digit0: 'normal',
}

const shortened = (line: string): string => (line.length > 32 ? `${line.slice(0, 31)}…` : line)

function awaySentence(deviceName: string, atMs: number | undefined, nowMs: number): string {
  const goesOn = `What runs there goes on while it is switched on; keys work again when ${deviceName} is back.`
  if (atMs === undefined) return `${deviceName} is away, and no earlier screen is kept here. ${goesOn}`
  return `${deviceName} is away. This is its screen from ${agoText(atMs, nowMs)}. ${goesOn}`
}

async function copy(text: string): Promise<void> {
  if (text === '') return
  await navigator.clipboard.writeText(text).catch((error: unknown) => {
    showToast({ severity: 'warn', title: 'Could not copy', body: errorWords(error) })
  })
}

async function paste(take: (text: string) => void): Promise<void> {
  await navigator.clipboard.readText().then(take, () => {
    showToast({ severity: 'info', title: 'Paste with Ctrl+V', body: 'This browser lets a page read the clipboard only by that key.' })
  })
}
