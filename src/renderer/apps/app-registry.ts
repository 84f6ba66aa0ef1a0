import { Activity, FileText, Folder, Globe, MonitorSmartphone, Settings, Sparkles, SquareTerminal, type LucideIcon } from 'lucide-react'
import { type ComponentType, lazy, type LazyExoticComponent } from 'react'
import type { AppProps } from './app-props.ts'

export type { AppProps } from './app-props.ts'

export type AppKind = 'terminal' | 'editor' | 'files' | 'web' | 'devices' | 'settings' | 'tasks' | 'welcome'

export interface AppDefinition {
  readonly kind: AppKind
  /** Name in docks, menus and the palette. */
  readonly title: string
  readonly icon: LucideIcon
  /** Only one window of it makes sense; opening it again brings that one to the front. */
  readonly single: boolean
  /** Runs or lies on a device: its badge shows in the title bar, and the elsewhere dock offers it. */
  readonly onDevice: boolean
  readonly component: LazyExoticComponent<ComponentType<AppProps<never>>>
}

/** Every app there is, in the order of the dock. Each component is its own chunk. */
export const APPS: Readonly<Record<AppKind, AppDefinition>> = {
  terminal: {
    kind: 'terminal',
    title: 'Terminal',
    icon: SquareTerminal,
    single: false,
    onDevice: true,
    component: lazy(() => import('./terminal/terminal-app.tsx')),
  },
  editor: {
    kind: 'editor',
    title: 'Editor',
    icon: FileText,
    single: false,
    onDevice: true,
    component: lazy(() => import('./editor/editor-app.tsx')),
  },
  files: {
    kind: 'files',
    title: 'Files',
    icon: Folder,
    single: false,
    onDevice: true,
    component: lazy(() => import('./files/files-app.tsx')),
  },
  web: { kind: 'web', title: 'Web', icon: Globe, single: false, onDevice: false, component: lazy(() => import('./web/web-app.tsx')) },
  devices: {
    kind: 'devices',
    title: 'Devices',
    icon: MonitorSmartphone,
    single: true,
    onDevice: false,
    component: lazy(() => import('./devices/devices-app.tsx')),
  },
  tasks: {
    kind: 'tasks',
    title: 'Tasks',
    icon: Activity,
    single: true,
    onDevice: false,
    component: lazy(() => import('./tasks/tasks-app.tsx')),
  },
  settings: {
    kind: 'settings',
    title: 'Settings',
    icon: Settings,
    single: true,
    onDevice: false,
    component: lazy(() => import('../settings/settings-app.tsx')),
  },
  welcome: {
    kind: 'welcome',
    title: 'Welcome',
    icon: Sparkles,
    single: true,
    onDevice: false,
    component: lazy(() => import('./welcome/welcome-app.tsx')),
  },
}

export const appOf = (kind: string): AppDefinition | undefined => (Object.hasOwn(APPS, kind) ? APPS[kind as AppKind] : undefined)
