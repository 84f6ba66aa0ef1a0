import type { NativeEvent } from '../../main/electron/native-contract.ts'
import type { MenuEntry } from '../ui/menu.tsx'

type PageMenu = Extract<NativeEvent, { type: 'tab-menu' }>

/** What can be done from a menu of a page. */
export interface PageMenuActions {
  go(to: 'back' | 'forward' | 'reload'): void
  edit(what: 'cut' | 'copy' | 'paste'): void
  openTab(url: string): void
  openOutside(url: string): void
  copyText(text: string): void
}

/** The desk's own menu for a page in a view: a view has none of its own. */
export function pageMenu(
  { link, canCut, canCopy, canPaste }: PageMenu,
  page: { readonly url: string | undefined; readonly canGoBack: boolean; readonly canGoForward: boolean },
  actions: PageMenuActions,
): readonly MenuEntry[] {
  const { url } = page
  return [
    link !== undefined && { label: 'Open link in a new tab', onSelect: () => actions.openTab(link) },
    link !== undefined && { label: 'Open link outside of Elsewhere', onSelect: () => actions.openOutside(link) },
    link !== undefined && { label: 'Copy address of the link', onSelect: () => actions.copyText(link) },
    'separator',
    canCut && { label: 'Cut', onSelect: () => actions.edit('cut') },
    canCopy && { label: 'Copy', onSelect: () => actions.edit('copy') },
    canPaste && { label: 'Paste', onSelect: () => actions.edit('paste') },
    'separator',
    page.canGoBack && { label: 'Back', onSelect: () => actions.go('back') },
    page.canGoForward && { label: 'Forward', onSelect: () => actions.go('forward') },
    { label: 'Load again', onSelect: () => actions.go('reload') },
    url !== undefined && { label: 'Copy address of the page', onSelect: () => actions.copyText(url) },
  ]
}
