/** A signature that can't be sent, ever; the message names the field. */
export class SignatureError extends TypeError {
  constructor(
    /** Where it is, such as `chain[2].options.link[0].task`. */
    readonly field: string,
    fault: string,
  ) {
    super(`${field} ${fault}`)
    this.name = 'SignatureError'
  }
}
