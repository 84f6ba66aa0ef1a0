import { ImagePlus, Minus, Monitor, Moon, Plus, Sun } from 'lucide-react'
import { useId, useRef, useState } from 'react'
import { errorMessage } from '../../../base/errors.ts'
import type { Preferences } from '../../../session/preferences.ts'
import type { Hue } from '../../../session/session-state.ts'
import { dispatch, useSession } from '../../desk/desk-store.ts'
import { HUE_NAMES } from '../../theme/hues.ts'
import { Button } from '../../ui/button.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { Segmented } from '../../ui/segmented.tsx'
import { Switch } from '../../ui/switch.tsx'
import { Group, Row } from './group.tsx'
import { shrinkImage } from './shrink-image.ts'

const set = (values: Partial<Preferences>) => dispatch({ type: 'preferences/set', values })

/** How the desk looks. Follows the person to every display. */
export function AppearancePage() {
  const preferences = useSession((session) => session.preferences)
  return (
    <>
      <Group title="Colours" hint="These follow you to every display.">
        <Row label="Theme">
          <Segmented
            label="Theme"
            value={preferences.theme}
            onChange={(theme) => set({ theme })}
            options={[
              { value: 'system', label: 'As the system', icon: <Monitor aria-hidden="true" /> },
              { value: 'light', label: 'Light', icon: <Sun aria-hidden="true" /> },
              { value: 'dark', label: 'Dark', icon: <Moon aria-hidden="true" /> },
            ]}
          />
        </Row>
        <Hues />
        <Wallpaper wallpaper={preferences.wallpaper} />
      </Group>
      <Group title="Motion">
        <Row label="Reduced motion" hint="Nothing slides or fades; changes are there at once.">
          <Segmented
            label="Reduced motion"
            value={preferences.reducedMotion}
            onChange={(reducedMotion) => set({ reducedMotion })}
            options={[
              { value: 'system', label: 'As the system' },
              { value: 'on', label: 'Reduced' },
              { value: 'off', label: 'Full' },
            ]}
          />
        </Row>
      </Group>
      <Group title="Text">
        <Size label="Terminal text" value={preferences.terminalFontPx} onChange={(terminalFontPx) => set({ terminalFontPx })} />
        <Switch
          label="Show typed letters at once in terminals"
          hint="On a slow link, underlined until the device has confirmed them. Never at a password."
          checked={preferences.terminalGuesses}
          onChange={(terminalGuesses) => set({ terminalGuesses })}
        />
        <Size label="Editor text" value={preferences.editorFontPx} onChange={(editorFontPx) => set({ editorFontPx })} />
        <Switch label="Wrap long lines in the editor" checked={preferences.editorWrap} onChange={(editorWrap) => set({ editorWrap })} />
      </Group>
      <Group title="Unlocking">
        <Switch
          label="Unlock beside by default"
          hint="A new display joins as a second screen of the same desk instead of taking it over."
          checked={preferences.unlockBeside}
          onChange={(unlockBeside) => set({ unlockBeside })}
        />
      </Group>
    </>
  )
}

function Hues() {
  const activity = useSession((session) => session.activities[session.currentActivity])
  const label = useId()
  if (!activity) return null
  return (
    <div className="settings-row">
      <span>
        <span id={label}>Accent of “{activity.name}”</span>
        <span className="settings-row-hint">Each activity has its own, so you see at once where you are.</span>
      </span>
      <span className="settings-hues" role="radiogroup" aria-labelledby={label}>
        {HUE_NAMES.map((name, hue) => (
          <button
            key={name}
            type="button"
            role="radio"
            aria-checked={activity.hue === hue}
            aria-label={name}
            data-tip={name}
            data-hue={hue}
            onClick={() => dispatch({ type: 'activity/recolour', activityId: activity.id, hue: hue as Hue })}
          />
        ))}
      </span>
    </div>
  )
}

function Wallpaper({ wallpaper }: { wallpaper: string }) {
  const input = useRef<HTMLInputElement>(null)
  const [problem, setProblem] = useState<string>()
  const [busy, setBusy] = useState(false)
  const own = wallpaper !== 'gradient'
  const take = async (file: File | undefined) => {
    if (!file) return
    setBusy(true)
    setProblem(undefined)
    try {
      set({ wallpaper: await shrinkImage(file) })
    } catch (error) {
      setProblem(`That image cannot be used: ${errorMessage(error)}. The wallpaper stays as it is.`)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Row
      label="Wallpaper"
      hint={
        problem ? (
          <span role="alert">{problem}</span>
        ) : own ? (
          'Your own image, made small enough to follow you.'
        ) : (
          'A quiet gradient in the colour of the activity.'
        )
      }
    >
      {own && <Button onClick={() => set({ wallpaper: 'gradient' })}>Use the gradient</Button>}
      <Button busy={busy} icon={<ImagePlus aria-hidden="true" />} onClick={() => input.current?.click()}>
        Choose an image
      </Button>
      <input
        ref={input}
        hidden
        type="file"
        accept="image/*"
        aria-label="Wallpaper image"
        onChange={(event) => void take(event.target.files?.[0])}
      />
    </Row>
  )
}

function Size({ label, value, onChange }: { label: string; value: number; onChange: (value: number) => void }) {
  return (
    <Row label={label}>
      <IconButton
        label={`Smaller ${label.toLowerCase()}`}
        icon={<Minus aria-hidden="true" />}
        aria-disabled={value <= 8}
        onClick={() => value > 8 && onChange(value - 1)}
      />
      <output className="settings-size numbers">{value} px</output>
      <IconButton
        label={`Larger ${label.toLowerCase()}`}
        icon={<Plus aria-hidden="true" />}
        aria-disabled={value >= 40}
        onClick={() => value < 40 && onChange(value + 1)}
      />
    </Row>
  )
}
