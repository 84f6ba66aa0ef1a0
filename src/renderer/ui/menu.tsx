import { Menu as BaseMenu } from '@base-ui/react/menu'
import { Check, ChevronRight } from 'lucide-react'
import type { ComponentProps, MouseEvent as ReactMouseEvent, ReactNode } from 'react'
import { create } from 'zustand'
import { joinClasses } from './join-classes.ts'
import { ariaShortcut, shortcutText } from './shortcut-text.ts'
import './menu.css'

/** One line of a menu. `null`, `false` and `undefined` are left out, so entries can be written with conditions. */
export type MenuEntry =
  | {
      readonly label: string
      readonly icon?: ReactNode
      readonly shortcut?: string | undefined
      /** Greyed out, with the reason as its second line. */
      readonly disabledBecause?: string | undefined
      readonly danger?: boolean
      /** Set for a choice that can be on or off. */
      readonly checked?: boolean
      readonly onSelect: () => void
    }
  | { readonly label: string; readonly icon?: ReactNode; readonly entries: readonly MenuEntry[] }
  | { readonly heading: string }
  | 'separator'
  | null
  | false
  | undefined

interface OpenMenu {
  readonly label: string
  readonly entries: readonly MenuEntry[]
  readonly anchor: { getBoundingClientRect(): DOMRect }
  readonly side: 'bottom' | 'right' | 'left' | 'top'
  readonly align: 'start' | 'end'
  readonly opener: HTMLElement | undefined
}

const useOpenMenu = create<{ menu: OpenMenu | undefined; open: boolean }>(() => ({ menu: undefined, open: false }))

/** Opens the page's one menu beside an element. `label` names it for assistive tools. */
export function openMenu(
  anchor: HTMLElement,
  label: string,
  entries: readonly MenuEntry[],
  placing: { side?: OpenMenu['side']; align?: OpenMenu['align'] } = {},
): void {
  const { side = 'bottom', align = 'start' } = placing
  useOpenMenu.setState({ open: true, menu: { label, entries, anchor, side, align, opener: anchor } })
}

/** Opens the page's one menu where the pointer is, or at the element that has focus when asked by key. Use as an onContextMenu handler. */
export function openContextMenu(event: ReactMouseEvent<HTMLElement>, label: string, entries: readonly MenuEntry[]): void {
  event.preventDefault()
  event.stopPropagation()
  const target = event.currentTarget
  const byKey = event.clientX === 0 && event.clientY === 0
  const rect = byKey ? target.getBoundingClientRect() : new DOMRect(event.clientX, event.clientY, 0, 0)
  const focused = document.activeElement instanceof HTMLElement ? document.activeElement : undefined
  useOpenMenu.setState({
    open: true,
    menu: { label, entries, anchor: { getBoundingClientRect: () => rect }, side: 'bottom', align: 'start', opener: focused },
  })
}

/** Opens the page's one menu at a point of the page, where no element of it was pressed. */
export function openMenuAt(x: number, y: number, label: string, entries: readonly MenuEntry[]): void {
  const rect = new DOMRect(x, y, 0, 0)
  useOpenMenu.setState({
    open: true,
    menu: { label, entries, anchor: { getBoundingClientRect: () => rect }, side: 'bottom', align: 'start', opener: undefined },
  })
}

export const closeMenu = (): void => useOpenMenu.setState({ open: false })

/** Mounted once. A window, tab or tile that has a menu costs nothing until it is opened. */
export function MenuHost() {
  const menu = useOpenMenu((state) => state.menu)
  const open = useOpenMenu((state) => state.open)
  if (!menu) return null
  return (
    <BaseMenu.Root open={open} onOpenChange={(next) => !next && closeMenu()} modal={false}>
      <BaseMenu.Portal>
        <BaseMenu.Positioner
          className="ui-menu-positioner"
          anchor={menu.anchor}
          side={menu.side}
          align={menu.align}
          sideOffset={4}
          collisionPadding={8}
        >
          <BaseMenu.Popup className="ui-menu" aria-label={menu.label} finalFocus={() => focusAfter(menu.opener)}>
            <Entries entries={menu.entries} />
          </BaseMenu.Popup>
        </BaseMenu.Positioner>
      </BaseMenu.Portal>
    </BaseMenu.Root>
  )
}

/** Back to where it was opened; but not into a window that the chosen entry put behind another: focus would raise it again. */
function focusAfter(opener: HTMLElement | undefined): HTMLElement | boolean {
  if (!opener?.isConnected) return true
  const window = opener.closest<HTMLElement>('[data-window]')
  return window && window.dataset['active'] === undefined ? false : opener
}

function Entries({ entries }: { entries: readonly MenuEntry[] }): ReactNode {
  const shown = tidy(entries)
  // Room for icons and ticks only where some entry has one: a column of nothing would push the words aside.
  const marked = shown.some(
    (entry) => typeof entry === 'object' && (('icon' in entry && entry.icon) || ('checked' in entry && entry.checked !== undefined)),
  )
  return shown.map((entry, index) => {
    const key = `${index}`
    if (entry === 'separator') return <BaseMenu.Separator key={key} className="ui-menu-separator" />
    if ('heading' in entry) {
      return (
        <div key={key} className="ui-menu-heading" role="presentation">
          {entry.heading}
        </div>
      )
    }
    if ('entries' in entry) {
      return (
        <BaseMenu.SubmenuRoot key={key}>
          <BaseMenu.SubmenuTrigger className="ui-menu-item">
            {marked && <span className="ui-menu-icon">{entry.icon}</span>}
            <span className="ui-menu-label">{entry.label}</span>
            <ChevronRight className="ui-menu-more" aria-hidden="true" />
          </BaseMenu.SubmenuTrigger>
          <BaseMenu.Portal>
            <BaseMenu.Positioner className="ui-menu-positioner" sideOffset={2} alignOffset={-4} collisionPadding={8}>
              <BaseMenu.Popup className="ui-menu" aria-label={entry.label}>
                <Entries entries={entry.entries} />
              </BaseMenu.Popup>
            </BaseMenu.Positioner>
          </BaseMenu.Portal>
        </BaseMenu.SubmenuRoot>
      )
    }
    const body = (
      <>
        {marked && <span className="ui-menu-icon">{entry.checked ? <Check aria-hidden="true" /> : entry.icon}</span>}
        <span className="ui-menu-label">
          {entry.label}
          {entry.disabledBecause && <span className="ui-menu-reason">{entry.disabledBecause}</span>}
        </span>
        {entry.shortcut && <kbd className="ui-menu-keys">{shortcutText(entry.shortcut)}</kbd>}
      </>
    )
    const common = {
      className: 'ui-menu-item',
      disabled: entry.disabledBecause !== undefined,
      'data-danger': entry.danger || undefined,
      'aria-keyshortcuts': entry.shortcut ? ariaShortcut(entry.shortcut) : undefined,
    }
    if (entry.checked !== undefined) {
      return (
        <BaseMenu.CheckboxItem key={key} {...common} checked={entry.checked} onCheckedChange={entry.onSelect} closeOnClick>
          {body}
        </BaseMenu.CheckboxItem>
      )
    }
    return (
      <BaseMenu.Item key={key} {...common} onClick={entry.onSelect}>
        {body}
      </BaseMenu.Item>
    )
  })
}

type RealEntry = Exclude<MenuEntry, null | false | undefined>

/** Without gaps: no separator first, last or twice. */
export function tidy(entries: readonly MenuEntry[]): RealEntry[] {
  const real: RealEntry[] = []
  for (const entry of entries) {
    if (!entry || (entry === 'separator' && (real.length === 0 || real.at(-1) === 'separator'))) continue
    real.push(entry)
  }
  if (real.at(-1) === 'separator') real.pop()
  return real
}

/** A button that opens a menu below itself. */
export function MenuButton({
  label,
  entries,
  children,
  className,
  side,
  align,
  ...rest
}: Omit<ComponentProps<'button'>, 'onClick'> & {
  label: string
  entries: () => readonly MenuEntry[]
  side?: OpenMenu['side']
  align?: OpenMenu['align']
}) {
  return (
    <button
      type="button"
      aria-haspopup="menu"
      aria-label={label}
      {...rest}
      className={joinClasses(className)}
      onClick={(event) => openMenu(event.currentTarget, label, entries(), { ...(side && { side }), ...(align && { align }) })}
      onKeyDown={(event) => {
        if (event.key !== 'ArrowDown') return
        event.preventDefault()
        openMenu(event.currentTarget, label, entries(), { ...(side && { side }), ...(align && { align }) })
      }}
    >
      {children}
    </button>
  )
}
