import { RotateCcw, X } from 'lucide-react'
import { type KeyboardEvent, useState } from 'react'
import { bindingOf } from '../../../base/key-binding.ts'
import { dispatch, useSession } from '../../desk/desk-store.ts'
import { DESK_COMMANDS, type DeskCommand } from '../../desk/desk-commands.ts'
import { keyHost } from '../../desk/keymap-store.ts'
import { Button } from '../../ui/button.tsx'
import { Field } from '../../ui/field.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { shortcutText } from '../../ui/shortcut-text.ts'
import { bindingProblem, type BoundCommand, conflictsOf, filterCommands } from './key-conflicts.ts'

interface Bound extends BoundCommand {
  readonly changed: boolean
  readonly inTerminal: string | undefined
}

/** Every command of the desk and its keys. Press a row's keys to change them; a taken binding says whose it is. */
export function KeysPage() {
  const own = useSession((session) => session.keybindings)
  const [typed, setTyped] = useState('')
  const [listening, setListening] = useState<string>()
  const commands: readonly DeskCommand[] = DESK_COMMANDS
  const host = keyHost()
  const bound: readonly Bound[] = commands.map((command) => {
    const mine = own[command.id]
    const shipped = [host === 'browser' ? (command.twin ?? command.keys) : command.keys].filter((keys) => keys !== undefined)
    return {
      id: command.id,
      title: command.title,
      keys: mine ?? shipped,
      changed: mine !== undefined,
      inTerminal: mine ? undefined : command.inTerminal,
    }
  })
  const shown = filterCommands(bound, typed)
  return (
    <>
      <p className="settings-hint">
        Keys follow you to every display. Inside Terminal every key belongs to the program, except Ctrl+Shift with another and Super.
        {host === 'browser' && ' Where a browser keeps a key for itself, the one that works here is shown.'}
      </p>
      <div className="settings-keys-bar">
        <Field
          label="Find a command"
          labelHidden
          placeholder="Find a command or key"
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
        <Button
          icon={<RotateCcw aria-hidden="true" />}
          aria-disabled={Object.keys(own).length === 0}
          onClick={() => Object.keys(own).forEach((command) => dispatch({ type: 'keybindings/set', command, keys: null }))}
        >
          All as shipped
        </Button>
      </div>
      <ul className="settings-keys settings-card" aria-label="Commands">
        {shown.map((command) => (
          <li key={command.id} className="settings-row">
            <span>
              <span>{command.title}</span>
              {command.inTerminal && <span className="settings-row-hint">In Terminal: {shortcutText(command.inTerminal)}</span>}
            </span>
            <span className="settings-row-control">
              {listening === command.id ? (
                <Listener command={command} all={bound} onDone={() => setListening(undefined)} />
              ) : (
                <>
                  {command.changed && (
                    <IconButton
                      size="small"
                      label={`As shipped: ${command.title}`}
                      icon={<RotateCcw aria-hidden="true" />}
                      onClick={() => dispatch({ type: 'keybindings/set', command: command.id, keys: null })}
                    />
                  )}
                  <button
                    type="button"
                    className="settings-binding"
                    onClick={() => setListening(command.id)}
                    aria-label={`Change keys of ${command.title}: ${command.keys[0] ?? 'none'}`}
                  >
                    {command.keys.length > 0 ? (
                      command.keys.map((keys) => <kbd key={keys}>{shortcutText(keys)}</kbd>)
                    ) : (
                      <span className="settings-none">none</span>
                    )}
                  </button>
                </>
              )}
            </span>
          </li>
        ))}
        {shown.length === 0 && <li className="settings-row settings-hint">No command fits “{typed}”.</li>}
      </ul>
    </>
  )
}

function Listener({ command, all, onDone }: { command: BoundCommand; all: readonly BoundCommand[]; onDone: () => void }) {
  const [pressed, setPressed] = useState<string>()
  const problem = pressed === undefined ? undefined : bindingProblem(pressed)
  const taken = pressed === undefined ? [] : conflictsOf(all, command.id, pressed)
  const handleKey = (event: KeyboardEvent) => {
    event.stopPropagation()
    if (event.key === 'Tab' && !event.ctrlKey && !event.altKey) return
    event.preventDefault()
    if (event.key === 'Escape') return onDone()
    if (event.key === 'Enter' && pressed !== undefined) return keep()
    const binding = bindingOf(event.nativeEvent)
    if (binding) setPressed(binding)
  }
  const keep = () => {
    if (pressed === undefined || problem) return
    for (const other of taken) dispatch({ type: 'keybindings/set', command: other.id, keys: other.keys.filter((keys) => keys !== pressed) })
    dispatch({ type: 'keybindings/set', command: command.id, keys: [pressed] })
    onDone()
  }
  return (
    <span className="settings-listener" onKeyDown={handleKey}>
      <span role="status">
        {pressed === undefined
          ? 'Press the new keys'
          : problem
            ? problem
            : taken.length > 0
              ? `Now: ${taken[0]?.title}. It would lose them.`
              : ''}
      </span>
      <button
        type="button"
        className="settings-binding"
        data-keys="listening"
        ref={focus}
        aria-label={`New keys for ${command.title}: ${pressed ?? 'none yet'}`}
      >
        {pressed ? <kbd>{shortcutText(pressed)}</kbd> : <span className="settings-none">…</span>}
      </button>
      <Button variant="primary" aria-disabled={pressed === undefined || problem !== undefined} onClick={keep}>
        Use
      </Button>
      <Button
        onClick={() => {
          dispatch({ type: 'keybindings/set', command: command.id, keys: [] })
          onDone()
        }}
      >
        No keys
      </Button>
      <IconButton size="small" label="Leave as it was" icon={<X aria-hidden="true" />} onClick={onDone} />
    </span>
  )
}

const focus = (element: HTMLElement | null) => element?.focus()
