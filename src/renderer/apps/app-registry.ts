import {
  Activity,
  FileText,
  Folder,
  Globe,
  ListChecks,
  MonitorSmartphone,
  Settings,
  Sparkles,
  SquareTerminal,
  type LucideIcon,
} from 'lucide-react'
import type { FunctionComponent } from 'react'
import { type Prepared, prepared } from '../ui/prepared.tsx'
import type { AppProps } from './app-props.ts'

export type { AppProps } from './app-props.ts'

export type AppKind = 'terminal' | 'editor' | 'files' | 'web' | 'devices' | 'settings' | 'jobs' | 'tasks' | 'welcome'

export interface AppDefinition {
  readonly kind: AppKind
  /** Name in docks, menus and the palette. */
  readonly title: string
  readonly icon: LucideIcon
  /** Only one window of it makes sense; opening it again brings that one to the front. */
  readonly single: boolean
  /** Runs or lies on a device: its badge shows in the title bar, and the elsewhere dock offers it. */
  readonly onDevice: boolean
  readonly component: FunctionComponent<AppProps<never>>
}

/** Each app is a chunk of its own. */
const CHUNKS: Readonly<Record<AppKind, Prepared<AppProps<never>>>> = {
  terminal: prepared(() => import('./terminal/terminal-app.tsx')),
  editor: prepared(() => import('./editor/editor-app.tsx')),
  files: prepared(() => import('./files/files-app.tsx')),
  web: prepared(() => import('./web/web-app.tsx')),
  devices: prepared(() => import('./devices/devices-app.tsx')),
  jobs: prepared(() => import('./jobs/jobs-app.tsx')),
  tasks: prepared(() => import('./tasks/tasks-app.tsx')),
  settings: prepared(() => import('./settings/settings-app.tsx')),
  welcome: prepared(() => import('./welcome/welcome-app.tsx')),
}

/** Every app there is, in the order of the dock. */
export const APPS: Readonly<Record<AppKind, AppDefinition>> = {
  terminal: {
    kind: 'terminal',
    title: 'Terminal',
    icon: SquareTerminal,
    single: false,
    onDevice: true,
    component: CHUNKS.terminal.Component,
  },
  editor: {
    kind: 'editor',
    title: 'Editor',
    icon: FileText,
    single: false,
    onDevice: true,
    component: CHUNKS.editor.Component,
  },
  files: {
    kind: 'files',
    title: 'Files',
    icon: Folder,
    single: false,
    onDevice: true,
    component: CHUNKS.files.Component,
  },
  web: { kind: 'web', title: 'Web', icon: Globe, single: false, onDevice: false, component: CHUNKS.web.Component },
  devices: {
    kind: 'devices',
    title: 'Devices',
    icon: MonitorSmartphone,
    single: true,
    onDevice: false,
    component: CHUNKS.devices.Component,
  },
  jobs: { kind: 'jobs', title: 'Jobs', icon: ListChecks, single: true, onDevice: false, component: CHUNKS.jobs.Component },
  tasks: {
    kind: 'tasks',
    title: 'Task manager',
    icon: Activity,
    single: true,
    onDevice: false,
    component: CHUNKS.tasks.Component,
  },
  settings: {
    kind: 'settings',
    title: 'Settings',
    icon: Settings,
    single: true,
    onDevice: false,
    component: CHUNKS.settings.Component,
  },
  welcome: {
    kind: 'welcome',
    title: 'Welcome',
    icon: Sparkles,
    single: true,
    onDevice: false,
    component: CHUNKS.welcome.Component,
  },
}

/**
 * Fetches and compiles all apps, one after the other so that typing stays quick. Called while a display is locked: after
 * the unlock the windows are drawn with no request in between. A chunk that fails is asked for again when it is needed.
 */
export async function preloadApps(): Promise<void> {
  void document.fonts.load('1em "JetBrains Mono Variable"') // for editors and terminals: a late one would lay them out twice
  for (const { prepare } of Object.values(CHUNKS)) {
    await prepare().catch(() => undefined)
    await new Promise((resolve) => setTimeout(resolve))
  }
}
