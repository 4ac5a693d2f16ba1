package store

// enumerations are the values that a new store holds, one class a line. They
// are those of a freshly installed server, as far as images use them.
const enumerations = `
AcquisitionMode: WideField LaserScanningConfocalMicroscopy SpinningDiskConfocal SlitScanConfocal MultiPhotonMicroscopy StructuredIllumination SingleMoleculeImaging TotalInternalReflection FluorescenceLifetime SpectralImaging FluorescenceCorrelationSpectroscopy NearFieldScanningOpticalMicroscopy SecondHarmonicGenerationImaging PALM STORM STED TIRF FSM LCM BrightField SweptFieldConfocal SPIM Other Unknown
AdminPrivilege: Chgrp Chown DeleteFile DeleteManagedRepo DeleteOwned DeleteScriptRepo ModifyGroup ModifyGroupMembership ModifyUser ReadSession Sudo WriteFile WriteManagedRepo WriteOwned WriteScriptRepo
ArcType: Hg Xe HgXe Other Unknown
Binning: 1x1 2x2 4x4 8x8 Other Unknown
ChecksumAlgorithm: Adler-32 CRC-32 File-Size-64 MD5-128 Murmur3-32 Murmur3-128 SHA1-160
ContrastMethod: Brightfield Phase DIC HoffmanModulation ObliqueIllumination PolarizedLight Darkfield Fluorescence Other Unknown
Correction: UV PlanApo PlanFluor SuperFluor VioletCorrected Achro Achromat Fluor Fl Fluar Neofluar Fluotar Apo PlanNeofluar Other Unknown
DetectorType: CCD IntensifiedCCD AnalogVideo PMT Photodiode Spectroscopy LifetimeImaging CorrelationSpectroscopy FTIR EMCCD APD CMOS EBCCD Other Unknown
DimensionOrder: XYZCT XYZTC XYCTZ XYCZT XYTCZ XYTZC
EventType: Import Internal Shutdown User Task Test Processing FullText Sessions PixelData Bootstrap Chgrp Chown Delete Chmod
ExperimentType: FP FRET TimeLapse FourDPlus Screen Immunocytochemistry Immunofluorescence FISH Electrophysiology IonImaging Colocalization PGIDocumentation FluorescenceLifetime SpectralImaging Photobleaching SPIM Other Unknown
Family: linear polynomial exponential logarithmic
FilamentType: Incandescent Halogen Other Unknown
FilterType: LongPass ShortPass BandPass MultiPass Dichroic NeutralDensity Tuneable Other Unknown
Format: application/octet-stream application/pdf application/msword text/csv text/plain text/html text/xml text/x-python image/png image/jpeg image/tiff image/bmp image/gif video/quicktime Fake OMETiff Tiff PNG JPEG BMP GIF DICOM DeltaVision ZeissCZI Nikon/ND2 Leica LIFReader OMEXML Companion/PNG Companion/Tiff Directory
Illumination: Transmitted Epifluorescence Oblique NonLinear Other Unknown
Immersion: Oil Water WaterDipping Air Multi Glycerol Other Unknown
JobStatus: Submitted Resubmitted Queued Requeued Running Error Waiting Finished Cancelled
LaserMedium: Cu Ag ArFl ArCl KrFl KrCl XeFl XeCl XeBr GaAs GaAlAs CoumarinC30 Rhodamine6G Ar Kr HeNe HeCd CO CO2 H2O HFl NdGlass NdYAG ErGlass ErYAG HoYLF HoYAG Ruby TiSapphire Alexandrite N EMinus Other Unknown
LaserType: Excimer Gas MetalVapor SolidState Dye Semiconductor FreeElectron Other Unknown
Medium: Air Oil Water Glycerol Other Unknown
MicrobeamManipulationType: FRAP FLIP InverseFRAP Photoablation Photoactivation Uncaging OpticalTrapping Other Unknown
MicroscopeType: Upright Inverted Dissection Electrophysiology Other Unknown
PhotometricInterpretation: RGB ARGB CMYK HSV Monochrome ColorMap
PixelsType: bit int8 int16 int32 uint8 uint16 uint32 float double complex double-complex
ProjectionAxis: Z T ModuloT
ProjectionType: MaximumIntensity MeanIntensity SumIntensity
Pulse: CW Single QSwitched Repetitive ModeLocked Other Unknown
RenderingModel: rgb greyscale
`

// pixelBits are the sizes of the pixel types.
var pixelBits = map[string]int32{
	"bit": 1, "int8": 8, "uint8": 8, "int16": 16, "uint16": 16, "int32": 32, "uint32": 32,
	"float": 32, "double": 64, "complex": 64, "double-complex": 128,
}
