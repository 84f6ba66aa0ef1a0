import { type ReactNode, useState } from 'react'
import { Field } from '../ui/field.tsx'
import { Switch } from '../ui/switch.tsx'
import { passphraseStrength, SHORTEST_PASSPHRASE } from './passphrase-strength.ts'

export interface NewPassphrase {
  readonly passphrase: string
  /** Long enough, and typed twice or seen. */
  readonly ready: boolean
  readonly fields: ReactNode
}

/** A passphrase that is chosen: twice, or once and seen. @param names  what it should not be made of */
export function useNewPassphrase(names: readonly string[], options: { autoFocus?: boolean; label?: string } = {}): NewPassphrase {
  const [passphrase, setPassphrase] = useState('')
  const [again, setAgain] = useState('')
  const [shown, setShown] = useState(false)
  const mismatch = again !== '' && again !== passphrase && !passphrase.startsWith(again)
  const strength = passphraseStrength(passphrase, names)
  const fields = (
    <>
      <Field
        autoFocus={options.autoFocus}
        label={options.label ?? 'Passphrase'}
        type={shown ? 'text' : 'password'}
        autoComplete="new-password"
        value={passphrase}
        onChange={(event) => setPassphrase(event.target.value)}
      />
      <div className="strength" data-level={strength.level} role="status">
        {[1, 2, 3].map((bar) => (
          <span key={bar} data-bar={bar} />
        ))}
        <p>{strength.hint}</p>
      </div>
      {!shown && (
        <Field
          label="Once more"
          type="password"
          autoComplete="new-password"
          value={again}
          error={mismatch ? 'The two are not the same.' : undefined}
          onChange={(event) => setAgain(event.target.value)}
        />
      )}
      {/* behind both fields: Tab goes from the one to the other, and the spaces of a passphrase never show it */}
      <Switch label="Show passphrase" checked={shown} onChange={setShown} />
    </>
  )
  return { passphrase, ready: passphrase.length >= SHORTEST_PASSPHRASE && (shown || again === passphrase), fields }
}
