import { Plus, Trash2 } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { errorWords } from '../../ui/error-words.ts'
import { Button } from '../../ui/button.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { Field } from '../../ui/field.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { Switch } from '../../ui/switch.tsx'
import { showToast } from '../../ui/toast.tsx'
import { AnchorGroup } from './anchor-group.tsx'
import { CacheGroup } from './cache-group.tsx'
import { BucketGroup } from './bucket-group.tsx'
import { EnginesGroup } from './engines-group.tsx'
import { Group } from './group.tsx'
import { type DeviceSettingsHandle, useDeviceSettings } from './use-device-settings.ts'

/** This machine alone: its name and how other devices find it. */
export function DevicePage() {
  const handle = useDeviceSettings()
  const { settings, error } = handle
  if (error !== undefined && !settings)
    return <ErrorState title="The settings of this device could not be read" error={error} safe="Nothing was changed." />
  if (!settings) return <Skeleton lines={5} label="Reading the settings of this device" />
  const change = (values: Parameters<DeviceSettingsHandle['change']>[0]) =>
    handle.change(values).catch((failure: unknown) => {
      showToast({ severity: 'error', title: 'That was not kept', body: errorWords(failure) })
    })
  return (
    <>
      <p className="settings-hint">These belong to this machine and do not follow you.</p>
      <Group title="Name">
        <NameForm name={settings.deviceName} onKeep={(deviceName) => void change({ deviceName })} />
      </Group>
      <Group title="Being found" hint="How your devices find each other. What they say to each other is encrypted between them either way.">
        <Switch
          label="On the local network"
          hint="Announces a tag that changes every hour, never a name."
          checked={settings.mdns}
          onChange={(mdns) => void change({ mdns })}
        />
        <Switch
          label="Direct connections for files"
          hint="Contents of files cross connections of their own beside the link: TCP where two of your devices reach each other, else several WebRTC connections. Faster, and encrypted as well. A port is open for seconds at a time, to that device only."
          checked={settings.directFiles}
          onChange={(directFiles) => void change({ directFiles })}
        />
        <Switch
          label="Be a rendezvous"
          hint={
            settings.rendezvousPort > 0
              ? `Other devices meet here on port ${settings.rendezvousPort}, reachable from the network.`
              : 'Lets your other devices meet through this one. Opens a port to the network.'
          }
          checked={settings.rendezvousPort > 0}
          onChange={(on) => void change({ rendezvousPort: on ? DEFAULT_RENDEZVOUS_PORT : 0 })}
        />
        {settings.rendezvousPort > 0 && (
          <PortForm port={settings.rendezvousPort} onKeep={(rendezvousPort) => void change({ rendezvousPort })} />
        )}
      </Group>
      <UrlGroup
        title="Rendezvous services"
        hint="Where devices meet when they are on different networks. It sees neither names nor content."
        placeholder="wss://meet.example.org"
        urls={settings.rendezvousUrls}
        onChange={(rendezvousUrls) => handle.change({ rendezvousUrls })}
      />
      <UrlGroup
        title="STUN and TURN servers"
        hint="Help through routers. None are used unless you add them; a TURN server relays encrypted bytes."
        placeholder="stun:stun.example.org:3478"
        urls={settings.iceServers}
        onChange={(iceServers) => handle.change({ iceServers })}
      />
      <CacheGroup limit={settings.cacheLimit} onChange={(cacheLimit) => void change({ cacheLimit })} />
      <BucketGroup />
      <EnginesGroup />
      <AnchorGroup settings={settings.anchor} onChange={(anchor) => handle.change({ anchor })} />
    </>
  )
}

/** The one a new device starts with; a person may choose another. */
const DEFAULT_RENDEZVOUS_PORT = 8917

function NameForm({ name, onKeep }: { name: string; onKeep: (name: string) => void }) {
  const [typed, setTyped] = useState(name)
  const keep = (event: FormEvent) => {
    event.preventDefault()
    if (typed.trim() !== '' && typed.trim() !== name) onKeep(typed.trim())
  }
  return (
    <form className="settings-inline" onSubmit={keep}>
      <Field
        label="What your other devices call it"
        maxLength={80}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        error={typed.trim() === '' ? 'A name is needed.' : undefined}
      />
      <Button type="submit" aria-disabled={typed.trim() === '' || typed.trim() === name}>
        Keep
      </Button>
    </form>
  )
}

function PortForm({ port, onKeep }: { port: number; onKeep: (port: number) => void }) {
  const [typed, setTyped] = useState(String(port))
  const value = /^\d{1,5}$/.test(typed) ? Number(typed) : 0
  const fine = value >= 1024 && value <= 65_535
  return (
    <form
      className="settings-inline"
      onSubmit={(event) => {
        event.preventDefault()
        if (fine && value !== port) onKeep(value)
      }}
    >
      <Field
        label="Port"
        inputMode="numeric"
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        error={fine ? undefined : 'A number from 1024 to 65535.'}
      />
      <Button type="submit" aria-disabled={!fine || value === port}>
        Keep
      </Button>
    </form>
  )
}

function UrlGroup(props: {
  title: string
  hint: string
  placeholder: string
  urls: readonly string[]
  onChange: (urls: string[]) => Promise<void>
}) {
  const [typed, setTyped] = useState('')
  const [error, setError] = useState<string>()
  const add = async (event: FormEvent) => {
    event.preventDefault()
    const url = typed.trim()
    if (url === '') return
    if (props.urls.includes(url)) return setError('It is in the list already.')
    try {
      await props.onChange([...props.urls, url])
      setTyped('')
      setError(undefined)
    } catch (failure) {
      setError(errorWords(failure))
    }
  }
  const remove = (url: string) =>
    props.onChange(props.urls.filter((one) => one !== url)).then(
      () =>
        showToast({
          title: 'Removed',
          body: url,
          action: {
            label: 'Undo',
            onSelect: () => void props.onChange([...props.urls]).catch((failure: unknown) => setError(errorWords(failure))),
          },
        }),
      (failure: unknown) => setError(errorWords(failure)),
    )
  return (
    <Group title={props.title} hint={props.hint}>
      {props.urls.map((url) => (
        <div key={url} className="settings-row">
          <span className="settings-url">{url}</span>
          <IconButton size="small" danger label={`Remove ${url}`} icon={<Trash2 aria-hidden="true" />} onClick={() => void remove(url)} />
        </div>
      ))}
      <form className="settings-inline" onSubmit={(event) => void add(event)}>
        <Field
          label={`Add to ${props.title}`}
          labelHidden
          placeholder={props.placeholder}
          inputMode="url"
          value={typed}
          error={error}
          onChange={(event) => setTyped(event.target.value)}
        />
        <Button type="submit" icon={<Plus aria-hidden="true" />} aria-disabled={typed.trim() === ''}>
          Add
        </Button>
      </form>
    </Group>
  )
}
