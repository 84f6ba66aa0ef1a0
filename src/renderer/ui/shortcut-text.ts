const MAC_SIGNS: Readonly<Record<string, string>> = { Ctrl: '⌃', Alt: '⌥', Shift: '⇧', Super: '⌘' }
const KEY_SIGNS: Readonly<Record<string, string>> = {
  ArrowLeft: '←',
  ArrowRight: '→',
  ArrowUp: '↑',
  ArrowDown: '↓',
  Escape: 'Esc',
  Space: 'Space',
  Delete: 'Del',
}

/** How a key binding such as `Ctrl+Shift+ArrowLeft` is shown to a person on this platform. */
export function shortcutText(binding: string, platform: 'mac' | 'other' = 'other'): string {
  const parts = binding.split('+').map((part) => KEY_SIGNS[part] ?? part)
  if (platform === 'mac') return parts.map((part) => MAC_SIGNS[part] ?? part).join('')
  return parts.join('+')
}

/** The same binding in the form `aria-keyshortcuts` wants. */
export const ariaShortcut = (binding: string): string => binding.replaceAll('Ctrl', 'Control').replaceAll('Super', 'Meta')
