import { type FormEvent, useState } from 'react'
import type { AnchorSettings } from '../../../identity/ledger-contract.ts'
import { Button } from '../../ui/button.tsx'
import { errorWords } from '../../ui/error-words.ts'
import { Field } from '../../ui/field.tsx'
import { Segmented } from '../../ui/segmented.tsx'
import { showToast } from '../../ui/toast.tsx'
import { ANCHOR_LAMPORTS, ANCHOR_NETWORKS, anchoredText, shortKey, solText } from '../anchor-words.ts'
import { Strip } from '../strip.tsx'
import { useAnchor } from '../use-anchor.ts'
import { Group, Row } from './group.tsx'

const EVERY = [
  { value: '6', label: '6 h' },
  { value: '24', label: 'Day' },
  { value: '168', label: 'Week' },
] as const

const HINTS: Readonly<Record<AnchorSettings['network'], string>> = {
  off: 'Nothing is asked or sent.',
  devnet: 'For trying: its coins cost nothing, and it may be begun anew.',
  'mainnet-beta': `Real money: ${solText(ANCHOR_LAMPORTS)} for each anchor.`,
  custom: 'Any Solana network, by a server that you name.',
}

/** Whether and where this device puts the root of its ledger, and what that costs. */
export function AnchorGroup({ settings, onChange }: { settings: AnchorSettings; onChange: (anchor: AnchorSettings) => Promise<void> }) {
  // A network of one's own is chosen before it can be kept: it needs a server first.
  const [chosen, setChosen] = useState<AnchorSettings['network']>()
  const network = chosen ?? settings.network
  const { anchor } = useAnchor(settings)
  const keep = (change: Partial<AnchorSettings>) =>
    onChange({ ...settings, ...change }).then(
      () => setChosen(undefined),
      (failure: unknown) => showToast({ severity: 'error', title: 'That was not kept', body: errorWords(failure) }),
    )
  const choose = (next: AnchorSettings['network']) => {
    if (next === 'custom' && settings.rpcUrl === '') setChosen(next)
    else void keep({ network: next, ...(next === 'custom' || next === 'off' ? {} : { rpcUrl: '' }) })
  }
  const isOn = settings.network !== 'off'
  const perDay = Math.floor(settings.dailyLamports / ANCHOR_LAMPORTS)
  return (
    <Group
      title="Anchoring the ledger"
      hint="Puts one salted hash over the whole ledger on Solana, where nobody can change it afterwards, not even you. It says nothing of your devices to anybody."
    >
      <Row label="Where" hint={HINTS[network]}>
        <Segmented label="Where the ledger is anchored" value={network} options={ANCHOR_NETWORKS} onChange={choose} />
      </Row>
      {network !== 'off' && (
        <ServerForm
          key={settings.rpcUrl}
          url={settings.rpcUrl}
          isNeeded={network === 'custom'}
          onKeep={(rpcUrl) => void keep({ network, rpcUrl })}
        />
      )}
      {isOn && (
        <>
          <Row label="By itself every" hint={anchor && anchoredText(anchor)}>
            <Segmented
              label="How often it anchors"
              value={EVERY.find(({ value }) => Number(value) === settings.everyHours)?.value ?? '24'}
              options={EVERY}
              onChange={(value) => void keep({ everyHours: Number(value) })}
            />
          </Row>
          <CapForm
            key={settings.dailyLamports}
            lamports={settings.dailyLamports}
            onKeep={(dailyLamports) => void keep({ dailyLamports })}
          />
          <Row
            label="Wallet that pays"
            hint={
              anchor === undefined
                ? 'Asking.'
                : anchor.balanceError !== undefined
                  ? `What it holds is not known. ${anchor.balanceError}`
                  : anchor.balanceLamports === undefined
                    ? 'Asking what it holds.'
                    : `Holds ${solText(anchor.balanceLamports)}; ${solText(anchor.spentTodayLamports)} spent today. Send it a little, not more than you would carry in a pocket.`
            }
          >
            {anchor && <CopyButton text={anchor.address} what="the address" />}
          </Row>
          {perDay === 0 && <Strip kind="unsafe">The cap is below the price of one anchor, so none is made.</Strip>}
        </>
      )}
    </Group>
  )
}

/** Shows the ends of a long name and copies all of it. */
export function CopyButton({ text, what }: { text: string; what: string }) {
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => showToast({ title: 'Copied', body: text }),
      () => showToast({ severity: 'warn', title: 'The browser did not allow copying', body: text }),
    )
  return (
    <Button variant="quiet" className="settings-url" title={text} aria-label={`Copy ${what} ${text}`} onClick={() => void copy()}>
      {shortKey(text)}
    </Button>
  )
}

function ServerForm({ url, isNeeded, onKeep }: { url: string; isNeeded: boolean; onKeep: (url: string) => void }) {
  const [typed, setTyped] = useState(url)
  const value = typed.trim()
  const fine = value === '' ? !isNeeded : URL.canParse(value)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (fine && value !== url) onKeep(value)
  }
  return (
    <form className="settings-inline" onSubmit={submit}>
      <Field
        label="Solana server"
        placeholder={isNeeded ? 'https://solana.example.org' : 'The public one of that network'}
        maxLength={512}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        hint="It sees this wallet and when it anchors; it can refuse, but change nothing."
        error={fine || value === '' ? undefined : 'An address that begins with https://'}
      />
      <Button type="submit" aria-disabled={!fine || value === url}>
        Keep
      </Button>
    </form>
  )
}

function CapForm({ lamports, onKeep }: { lamports: number; onKeep: (lamports: number) => void }) {
  const [typed, setTyped] = useState(String(Math.floor(lamports / ANCHOR_LAMPORTS)))
  const anchors = /^\d{1,4}$/.test(typed) ? Number(typed) : Number.NaN
  const fine = anchors >= 0 && anchors <= 2_000
  const value = anchors * ANCHOR_LAMPORTS
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (fine && value !== lamports) onKeep(value)
  }
  return (
    <form className="settings-inline" onSubmit={submit}>
      <Field
        label="Anchors a day at most"
        inputMode="numeric"
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        hint={fine ? `At most ${solText(value)} a day.` : undefined}
        error={fine ? undefined : 'A number from 0 to 2000.'}
      />
      <Button type="submit" aria-disabled={!fine || value === lamports}>
        Keep
      </Button>
    </form>
  )
}
