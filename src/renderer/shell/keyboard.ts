import { type Disposable, toDisposable } from '../../base/disposable.ts'
import { bindingOf } from '../../base/key-binding.ts'
import { finishSwitching, runCommand } from './commands.ts'
import { deskMayTake, type KeyFocus } from '../desk/keys.ts'
import { keymapNow } from '../desk/keymap-store.ts'
import { setShell, useShell } from '../desk/shell-store.ts'

/** Where the keyboard is: apps mark what belongs to a program with `data-keys="terminal"`, what is edited though it is no text (`edits`): undo is theirs there. */
function keyFocus(target: EventTarget | null): KeyFocus {
  if (!(target instanceof Element)) return 'desk'
  if (target.closest('[data-keys="terminal"], .xterm')) return 'terminal'
  const text = target.closest('input, textarea, select, [contenteditable]:not([contenteditable="false"]), [data-keys="edits"]')
  return text && !text.matches('input[type=checkbox], input[type=radio], input[type=range]') ? 'text' : 'desk'
}

/**
 * The desk's keys. Listens before everything else, and takes only what deskMayTake allows; the rest goes on to the app
 * or field that has the keyboard.
 */
export function listenForKeys(): Disposable {
  const listening = new AbortController()
  const handleKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing || event.getModifierState('AltGraph')) return
    // Settings listens for the keys a command shall have: then none of them is a command.
    if (event.target instanceof Element && event.target.closest('[data-keys="listening"]')) return
    const { switcher, keyboardMode } = useShell.getState()
    if (keyboardMode) return
    if (switcher && handleSwitcherKey(event)) return
    const binding = bindingOf(event)
    if (!binding) return
    const focus = keyFocus(event.target)
    if (!deskMayTake(binding, focus)) return
    const command = keymapNow().commandFor(binding, focus === 'terminal')
    if (!command) return
    event.preventDefault()
    event.stopPropagation()
    runCommand(command)
  }
  const handleKeyUp = (event: KeyboardEvent) => {
    // Letting go of the last modifier chooses, as with every window switcher.
    if (useShell.getState().switcher && !event.ctrlKey && !event.altKey && !event.metaKey) finishSwitching(true)
  }
  addEventListener('keydown', handleKeyDown, { capture: true, signal: listening.signal })
  addEventListener('keyup', handleKeyUp, { capture: true, signal: listening.signal })
  addEventListener('blur', () => finishSwitching(false), { signal: listening.signal })
  return toDisposable(() => listening.abort())
}

function handleSwitcherKey(event: KeyboardEvent): boolean {
  const { switcher } = useShell.getState()
  if (!switcher) return false
  const back = event.key === 'ArrowLeft' || (event.key === 'Tab' && event.shiftKey)
  const step = back ? -1 : event.key === 'ArrowRight' || event.key === 'Tab' ? 1 : 0
  if (step !== 0) setShell({ switcher: { ...switcher, at: (switcher.at + step + switcher.order.length) % switcher.order.length } })
  else if (event.key === 'Escape') finishSwitching(false)
  else if (event.key === 'Enter') finishSwitching(true)
  else return false
  event.preventDefault()
  event.stopPropagation()
  return true
}
