import { Check, Keyboard, MonitorSmartphone, MoveHorizontal, SquareTerminal } from 'lucide-react'
import { type ReactNode, useEffect } from 'react'
import type { AppStateOf } from '../../../session/app-state.ts'
import { dispatch, sessionNow, useSession } from '../../desk/desk-store.ts'
import { useDevices } from '../../desk/devices-store.ts'
import { useDoor } from '../../desk/door-store.ts'
import { useKeys } from '../../desk/keymap-store.ts'
import { setShell, useShell } from '../../desk/shell-store.ts'
import { Button } from '../../ui/button.tsx'
import { shortcutText } from '../../ui/shortcut-text.ts'
import { openApp, useOwnDevice } from '../app-hooks.ts'
import type { AppProps } from '../app-props.ts'
import { useDone } from './done-steps.ts'
import './welcome.css'

/** The first window: four things worth doing once. Each is ticked by doing it, not by reading about it. */
export default function WelcomeApp(_props: AppProps<AppStateOf<'welcome'>>) {
  const name = useDoor((state) => state.door?.personName)
  const device = useOwnDevice()
  const { done, mark } = useDone()
  const paletteKeys = useKeys('palette')
  const snapKeys = useKeys('snap-left')
  const paletteOpen = useShell((state) => state.palette)
  const hasTerminal = useSession((session) => Object.values(session.tabs).some(({ app }) => app.kind === 'terminal'))
  const snapped = useSession((session) =>
    Object.values(session.windows).some((window) => Object.values(window.places).some((place) => place.zone !== 'none')),
  )
  const linked = useDevices((state) => state.rows.length > 1)
  useEffect(() => {
    if (paletteOpen) mark('palette')
    if (hasTerminal) mark('terminal')
    if (snapped) mark('snap')
    if (linked) mark('link')
  }, [paletteOpen, hasTerminal, snapped, linked, mark])

  return (
    <div className="welcome">
      <h2>{name ? `Welcome, ${name}` : 'Welcome'}</h2>
      <p className="welcome-lead">This desk is yours and follows you. Try these four; each ticks itself when done.</p>
      <ol>
        <Step
          done={done.has('terminal')}
          icon={<SquareTerminal aria-hidden="true" />}
          title="Open a terminal"
          action={<Button onClick={() => openApp({ kind: 'terminal', device, terminalId: null, cwd: null })}>Open</Button>}
        >
          It runs on this device and goes on when you leave. From any other display you type into the same program.
        </Step>
        <Step done={done.has('snap')} icon={<MoveHorizontal aria-hidden="true" />} title="Put a window aside">
          Drag it by its title to an edge
          {snapKeys ? (
            <>
              , or press <kbd className="ui-kbd">{shortcutText(snapKeys)}</kbd>
            </>
          ) : null}
          . Each size of display remembers its own arrangement.
        </Step>
        <Step
          done={done.has('palette')}
          icon={<Keyboard aria-hidden="true" />}
          title="Find anything"
          action={<Button onClick={() => setShell({ palette: true })}>Search</Button>}
        >
          Windows, apps, devices and commands, in one field
          {paletteKeys ? (
            <>
              : press <kbd className="ui-kbd">{shortcutText(paletteKeys)}</kbd> anywhere
            </>
          ) : null}
          .
        </Step>
        <Step
          done={done.has('link')}
          icon={<MonitorSmartphone aria-hidden="true" />}
          title="Link another device"
          action={<Button onClick={() => openApp({ kind: 'devices' })}>Devices</Button>}
        >
          Type a short code once. From then on, unlock there and this desk is there.
        </Step>
      </ol>
      <footer>
        <Button
          variant="quiet"
          onClick={() => {
            dispatch({ type: 'preferences/set', values: { welcomeDone: true } })
            closeWelcome()
          }}
        >
          Close this window
        </Button>
        <span>It is always under your initial, at the top right.</span>
      </footer>
    </div>
  )
}

function closeWelcome(): void {
  for (const { id, app } of Object.values(sessionNow().tabs)) if (app.kind === 'welcome') dispatch({ type: 'tab/close', tabId: id })
}

function Step(props: { done: boolean; icon: ReactNode; title: string; action?: ReactNode; children: ReactNode }) {
  return (
    <li className="welcome-step" data-done={props.done || undefined}>
      <span className="welcome-icon">{props.done ? <Check aria-label="Done" /> : props.icon}</span>
      <div>
        <h3>{props.title}</h3>
        <p>{props.children}</p>
      </div>
      {props.action}
    </li>
  )
}
