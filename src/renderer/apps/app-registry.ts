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

/** Each app is a chunk of its own. */
const LOAD = {
  terminal: () => import('./terminal/terminal-app.tsx'),
  editor: () => import('./editor/editor-app.tsx'),
  files: () => import('./files/files-app.tsx'),
  web: () => import('./web/web-app.tsx'),
  devices: () => import('./devices/devices-app.tsx'),
  tasks: () => import('./tasks/tasks-app.tsx'),
  settings: () => import('./settings/settings-app.tsx'),
  welcome: () => import('./welcome/welcome-app.tsx'),
}

/** Every app there is, in the order of the dock. */
export const APPS: Readonly<Record<AppKind, AppDefinition>> = {
  terminal: {
    kind: 'terminal',
    title: 'Terminal',
    icon: SquareTerminal,
    single: false,
    onDevice: true,
    component: lazy(LOAD.terminal),
  },
  editor: {
    kind: 'editor',
    title: 'Editor',
    icon: FileText,
    single: false,
    onDevice: true,
    component: lazy(LOAD.editor),
  },
  files: {
    kind: 'files',
    title: 'Files',
    icon: Folder,
    single: false,
    onDevice: true,
    component: lazy(LOAD.files),
  },
  web: { kind: 'web', title: 'Web', icon: Globe, single: false, onDevice: false, component: lazy(LOAD.web) },
  devices: {
    kind: 'devices',
    title: 'Devices',
    icon: MonitorSmartphone,
    single: true,
    onDevice: false,
    component: lazy(LOAD.devices),
  },
  tasks: {
    kind: 'tasks',
    title: 'Task manager',
    icon: Activity,
    single: true,
    onDevice: false,
    component: lazy(LOAD.tasks),
  },
  settings: {
    kind: 'settings',
    title: 'Settings',
    icon: Settings,
    single: true,
    onDevice: false,
    component: lazy(LOAD.settings),
  },
  welcome: {
    kind: 'welcome',
    title: 'Welcome',
    icon: Sparkles,
    single: true,
    onDevice: false,
    component: lazy(LOAD.welcome),
  },
}

export const appOf = (kind: string): AppDefinition | undefined => (Object.hasOwn(APPS, kind) ? APPS[kind as AppKind] : undefined)

/**
 * Fetches and compiles all apps, one after the other so that typing stays quick. Called while a display is locked: after
 * the unlock the windows are drawn with no request in between. A chunk that fails is asked for again when it is needed.
 */
export async function preloadApps(): Promise<void> {
  for (const load of Object.values(LOAD)) {
    await load().catch(() => undefined)
    await new Promise((resolve) => setTimeout(resolve))
  }
}
