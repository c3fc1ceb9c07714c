/**
 * What Apache Kafka's MemoryRecordsBuilder (3.9.1) writes for the same three records in every magic, codec and timestamp type:
 * (null, text, 1000), (key1, text, 1050), (key2, null, 1020), from offset 100 on, LogAppendTime 5000; in magic 2 with two headers
 * and producer (77, 3, 9), transactional, leader epoch 6.
 */
export const apacheBatches: readonly { magic: 0 | 1 | 2; codec: string; timestampType: 0 | 1; base64: string }[] = [
  {
    magic: 0,
    codec: 'none',
    timestampType: 0,
    base64: 'AAAAAAAAAGQAAAA4WXkZUAAA/////wAAACp0aGUgdmFsdWUsIHRoZSB2YWx1ZSwgdGhlIHZhbHVlLCB0aGUgdmFsdWUAAAAAAAAAZQAAADyQis'
      + 'msAAAAAAAEa2V5MQAAACp0aGUgdmFsdWUsIHRoZSB2YWx1ZSwgdGhlIHZhbHVlLCB0aGUgdmFsdWUAAAAAAAAAZgAAABLxL2BoAAAAAAAEa2V5'
      + 'Mv////8=',
  },
  {
    magic: 0,
    codec: 'gzip',
    timestampType: 0,
    base64: 'AAAAAAAAAGYAAABhGx9ttAAB/////wAAAFMfiwgAAAAAAAD/Y2AAgxQgtoislAxgYPgPBECeVklGqkJZYk5pqo4CASbECAYQbTOh6+QaMI8lO7'
      + 'XSkCxz0oBY6KN+QgbcHCOQmwDd7OkjqgAAAA==',
  },
  {
    magic: 0,
    codec: 'snappy',
    timestampType: 0,
    base64: 'AAAAAAAAAGYAAAB61HB/CAAC/////wAAAGyCU05BUFBZAAAAAAEAAAABAAAAWKoBAAAJAXhkAAAAOFl5GVAAAP////8AAAAqdGhlIHZhbHVlLC'
      + 'B0dgsAAAAJAQEIEDyQismsBQ8QBGtleTHSSABYZgAAABLxL2BoAAAAAAAEa2V5Mv////8=',
  },
  {
    magic: 0,
    codec: 'lz4',
    timestampType: 0,
    base64: 'AAAAAAAAAGYAAABvQtMyUgAD/////wAAAGEEIk0YYEAaUgAAABIAAQD/D2QAAAA4WXkZUAAA/////wAAACp0aGUgdmFsdWUsIAsADAJDAKEAZQ'
      + 'AAADyQismsEABfBGtleTFIACKVZgAAABLxL2BoSABQMv////8AAAAA',
  },
  {
    magic: 1,
    codec: 'none',
    timestampType: 0,
    base64: 'AAAAAAAAAGQAAABA1RydbwEAAAAAAAAAA+j/////AAAAKnRoZSB2YWx1ZSwgdGhlIHZhbHVlLCB0aGUgdmFsdWUsIHRoZSB2YWx1ZQAAAAAAAA'
      + 'BlAAAARA1trjgBAAAAAAAAAAQaAAAABGtleTEAAAAqdGhlIHZhbHVlLCB0aGUgdmFsdWUsIHRoZSB2YWx1ZSwgdGhlIHZhbHVlAAAAAAAAAGYA'
      + 'AAAaY9AJPAEAAAAAAAAAA/wAAAAEa2V5Mv////8=',
  },
  {
    magic: 1,
    codec: 'none',
    timestampType: 1,
    base64: 'AAAAAAAAAGQAAABAf9xl6gEIAAAAAAAAE4j/////AAAAKnRoZSB2YWx1ZSwgdGhlIHZhbHVlLCB0aGUgdmFsdWUsIHRoZSB2YWx1ZQAAAAAAAA'
      + 'BlAAAARL7TOzcBCAAAAAAAABOIAAAABGtleTEAAAAqdGhlIHZhbHVlLCB0aGUgdmFsdWUsIHRoZSB2YWx1ZSwgdGhlIHZhbHVlAAAAAAAAAGYA'
      + 'AAAaWt0qNAEIAAAAAAAAE4gAAAAEa2V5Mv////8=',
  },
  {
    magic: 1,
    codec: 'gzip',
    timestampType: 0,
    base64: 'AAAAAAAAAGYAAABwFvb6SAEBAAAAAAAABBr/////AAAAWh+LCAAAAAAAAP9jYIADh6syc/MZoRzmF/+BAMjQKslIVShLzClN1VEgwIRqBRnhwp'
      + 'u7zgJmFosUiMhOrTQkyzwmIJZKvsBpA3fbH6h5RiA3AgDH5FZ2wgAAAA==',
  },
  {
    magic: 1,
    codec: 'gzip',
    timestampType: 1,
    base64: 'AAAAAAAAAGYAAABt7l6BXAEJAAAAAAAAE4j/////AAAAVx+LCAAAAAAAAP9jYIADh/o7qa8YOSAc4Y7/QABkaJVkpCqUJeaUpuooEGBCzWEEYp'
      + 'd9l63NEWYBCZbs1EpDssxjAmKpqLtaJhjmGYHcCACiue8SwgAAAA==',
  },
  {
    magic: 1,
    codec: 'snappy',
    timestampType: 0,
    base64: 'AAAAAAAAAGYAAACK9bYmhQECAAAAAAAABBr/////AAAAdIJTTkFQUFkAAAAAAQAAAAEAAABgwgEAABkBFEDVHJ1vAQ0QVAPo/////wAAACp0aG'
      + 'UgdmFsdWUsIHR2CwANOwFDEEQNba44AQkBASQEGgAAAARrZXkx0lAAIAIAAAAaY9AJPBFQNAP8AAAABGtleTL/////',
  },
  {
    magic: 1,
    codec: 'snappy',
    timestampType: 1,
    base64: 'AAAAAAAAAGYAAACD3gaTJQEKAAAAAAAAE4j/////AAAAbYJTTkFQUFkAAAAAAQAAAAEAAABZwgEAABkBGEB/3GXqAQgJEVQTiP////8AAAAqdG'
      + 'hlIHZhbHVlLCB0dgsACTooAAEAAABEvtM7NwEVTBwAAAAEa2V5MdJQACACAAAAGlrdKjRCUAAQMv////8=',
  },
  {
    magic: 1,
    codec: 'lz4',
    timestampType: 0,
    base64: 'AAAAAAAAAGYAAACCr02Q7wEDAAAAAAAABBr/////AAAAbAQiTRhgQIJdAAAAFgABAGNA1RydbwEQAP8GA+j/////AAAAKnRoZSB2YWx1ZSwgCw'
      + 'AMAzsAAEMAUEQNba44CQAAAgCvBBoAAAAEa2V5MVAAIpQCAAAAGmPQCTxQACMD/FAAUDL/////AAAAAA==',
  },
  {
    magic: 1,
    codec: 'lz4',
    timestampType: 1,
    base64: 'AAAAAAAAAGYAAAB7vcTK6QELAAAAAAAAE4j/////AAAAZQQiTRhgQIJWAAAAFgABAHJAf9xl6gEIEQD/BhOI/////wAAACp0aGUgdmFsdWUsIA'
      + 'sADAI6AKYAAQAAAES+0zs3TACPAAAABGtleTFQACKdAgAAABpa3So0UABQMv////8AAAAA',
  },
  {
    magic: 2,
    codec: 'none',
    timestampType: 0,
    base64: 'AAAAAAAAAGQAAADHAAAABgKtvHm0ABAAAAACAAAAAAAAA+gAAAAAAAAEGgAAAAAAAABNAAMAAAAJAAAAA3gAAAABVHRoZSB2YWx1ZSwgdGhlIH'
      + 'ZhbHVlLCB0aGUgdmFsdWUsIHRoZSB2YWx1ZQQEaGsEaHYIbnVsbAGAAQBkAghrZXkxVHRoZSB2YWx1ZSwgdGhlIHZhbHVlLCB0aGUgdmFsdWUs'
      + 'IHRoZSB2YWx1ZQQEaGsEaHYIbnVsbAEsACgECGtleTIBBARoawRodghudWxsAQ==',
  },
  {
    magic: 2,
    codec: 'none',
    timestampType: 1,
    base64: 'AAAAAAAAAGQAAADHAAAABgLMb9ZqABgAAAACAAAAAAAAA+gAAAAAAAATiAAAAAAAAABNAAMAAAAJAAAAA3gAAAABVHRoZSB2YWx1ZSwgdGhlIH'
      + 'ZhbHVlLCB0aGUgdmFsdWUsIHRoZSB2YWx1ZQQEaGsEaHYIbnVsbAGAAQBkAghrZXkxVHRoZSB2YWx1ZSwgdGhlIHZhbHVlLCB0aGUgdmFsdWUs'
      + 'IHRoZSB2YWx1ZQQEaGsEaHYIbnVsbAEsACgECGtleTIBBARoawRodghudWxsAQ==',
  },
  {
    magic: 2,
    codec: 'gzip',
    timestampType: 0,
    base64: 'AAAAAAAAAGQAAAB7AAAABgJz8QxKABEAAAACAAAAAAAAA+gAAAAAAAAEGgAAAAAAAABNAAMAAAAJAAAAAx+LCAAAAAAAAP+rYGBgYAwpyUhVKE'
      + 'vMKU3VUSDAZGHJyGbJKOPIK83JYWxgZEhh4shOrTQk1wQdBg0WkAFGjCjCAMin4vSWAAAA',
  },
  {
    magic: 2,
    codec: 'gzip',
    timestampType: 1,
    base64: 'AAAAAAAAAGQAAAB7AAAABgLU9KUFABkAAAACAAAAAAAAA+gAAAAAAAATiAAAAAAAAABNAAMAAAAJAAAAAx+LCAAAAAAAAP+rYGBgYAwpyUhVKE'
      + 'vMKU3VUSDAZGHJyGbJKOPIK83JYWxgZEhh4shOrTQk1wQdBg0WkAFGjCjCAMin4vSWAAAA',
  },
  {
    magic: 2,
    codec: 'snappy',
    timestampType: 0,
    base64: 'AAAAAAAAAGQAAACPAAAABgLsRTjoABIAAAACAAAAAAAAA+gAAAAAAAAEGgAAAAAAAABNAAMAAAAJAAAAA4JTTkFQUFkAAAAAAQAAAAEAAABKlg'
      + 'FEeAAAAAFUdGhlIHZhbHVlLCB0dgsAWAQEaGsEaHYIbnVsbAGAAQBkAghrZXkx3kIADCwAKAQBQTgyAQQEaGsEaHYIbnVsbAE=',
  },
  {
    magic: 2,
    codec: 'snappy',
    timestampType: 1,
    base64: 'AAAAAAAAAGQAAACPAAAABgKxPofwABoAAAACAAAAAAAAA+gAAAAAAAATiAAAAAAAAABNAAMAAAAJAAAAA4JTTkFQUFkAAAAAAQAAAAEAAABKlg'
      + 'FEeAAAAAFUdGhlIHZhbHVlLCB0dgsAWAQEaGsEaHYIbnVsbAGAAQBkAghrZXkx3kIADCwAKAQBQTgyAQQEaGsEaHYIbnVsbAE=',
  },
  {
    magic: 2,
    codec: 'lz4',
    timestampType: 0,
    base64: 'AAAAAAAAAGQAAACEAAAABgKwHvmrABMAAAACAAAAAAAAA+gAAAAAAAAEGgAAAAAAAABNAAMAAAAJAAAAAwQiTRhgQIJEAAAA/wJ4AAAAAVR0aG'
      + 'UgdmFsdWUsIAsADP8IBARoawRodghudWxsAYABAGQCCGtleTFCACVALAAoBEEAJDIBWQBQbnVsbAEAAAAA',
  },
  {
    magic: 2,
    codec: 'lz4',
    timestampType: 1,
    base64: 'AAAAAAAAAGQAAACEAAAABgL+n8JEABsAAAACAAAAAAAAA+gAAAAAAAATiAAAAAAAAABNAAMAAAAJAAAAAwQiTRhgQIJEAAAA/wJ4AAAAAVR0aG'
      + 'UgdmFsdWUsIAsADP8IBARoawRodghudWxsAYABAGQCCGtleTFCACVALAAoBEEAJDIBWQBQbnVsbAEAAAAA',
  },
  {
    magic: 2,
    codec: 'zstd',
    timestampType: 0,
    base64: 'AAAAAAAAAGQAAAB8AAAABgL9fsniABQAAAACAAAAAAAAA+gAAAAAAAAEGgAAAAAAAABNAAMAAAAJAAAAAyi1L/0AWPwBACQDeAAAAAFUdGhlIH'
      + 'ZhbHVlLCAEBGhrBGh2CG51bGwBgAEAZAIIa2V5MSwAKAQIa2V5MgEDAFwcaItwtm7KEgEAAA==',
  },
  {
    magic: 2,
    codec: 'zstd',
    timestampType: 1,
    base64: 'AAAAAAAAAGQAAAB8AAAABgLise3TABwAAAACAAAAAAAAA+gAAAAAAAATiAAAAAAAAABNAAMAAAAJAAAAAyi1L/0AWPwBACQDeAAAAAFUdGhlIH'
      + 'ZhbHVlLCAEBGhrBGh2CG51bGwBgAEAZAIIa2V5MSwAKAQIa2V5MgEDAFwcaItwtm7KEgEAAA==',
  },
]
