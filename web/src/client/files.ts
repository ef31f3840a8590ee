/** Files, for programs that send or show them. */
export { FileOutbox, type FileOutboxOptions, type Held, type KeptParcel, type Parcel, type ParcelStorage, type Transfer } from './parcels';
export { isFull, later, upload, type UploadOptions } from './upload';
