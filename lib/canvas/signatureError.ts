/** Thrown for a signature that can never be sent; the message names the field. */
export class SignatureError extends TypeError {
  constructor(
    /** The path of the field, such as `chain[2].options.link[0].task`. */
    readonly field: string,
    fault: string,
  ) {
    super(`${field} ${fault}`)
    this.name = 'SignatureError'
  }
}
