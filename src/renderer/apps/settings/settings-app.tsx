import { Info, Keyboard, Laptop, type LucideIcon, Palette, ShieldCheck } from 'lucide-react'
import { type ComponentType, createElement } from 'react'
import type { AppStateOf } from '../../../session/app-state.ts'
import type { AppProps } from '../app-props.ts'
import { AboutPage } from './about-page.tsx'
import { AppearancePage } from './appearance-page.tsx'
import { DevicePage } from './device-page.tsx'
import { KeysPage } from './keys-page.tsx'
import { SecurityPage } from './security-page.tsx'
import '../app.css'
import './settings.css'

const PAGES: readonly { readonly id: string; readonly title: string; readonly icon: LucideIcon; readonly page: ComponentType }[] = [
  { id: 'appearance', title: 'Appearance', icon: Palette, page: AppearancePage },
  { id: 'keys', title: 'Keys', icon: Keyboard, page: KeysPage },
  { id: 'device', title: 'This device', icon: Laptop, page: DevicePage },
  { id: 'security', title: 'Security', icon: ShieldCheck, page: SecurityPage },
  { id: 'about', title: 'About', icon: Info, page: AboutPage },
]

/** Settings that follow the person (appearance, keys) and those of this machine alone. Every one acts at once. */
export default function SettingsApp({ state, setState }: AppProps<AppStateOf<'settings'>>) {
  const shown = PAGES.find((page) => page.id === state.page) ?? PAGES[0]
  if (!shown) return null
  return (
    <div className="app settings">
      <nav className="settings-nav" aria-label="Settings pages">
        {PAGES.map(({ id, title, icon }) => (
          <button key={id} type="button" aria-current={id === shown.id ? 'page' : undefined} onClick={() => setState({ page: id })}>
            {createElement(icon, { 'aria-hidden': true })}
            {title}
          </button>
        ))}
      </nav>
      <div className="settings-page" tabIndex={-1}>
        <h2>{shown.title}</h2>
        {createElement(shown.page)}
      </div>
    </div>
  )
}
