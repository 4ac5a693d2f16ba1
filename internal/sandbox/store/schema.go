package store

// schema is what the Slice definitions do not tell about a class: the Java
// package of its entity (answers of the graph requests name classes that way),
// whether it is global (g: owned by nobody, visible to all) or abstract (a),
// and the members that the database requires. One class a line.
const schema = `
acquisition Arc - type
acquisition Detector - type instrument
acquisition DetectorSettings - detector
acquisition Dichroic - instrument
acquisition Filament - type
acquisition Filter - instrument
acquisition FilterSet - instrument
acquisition FilterSetEmissionFilterLink - parent child
acquisition FilterSetExcitationFilterLink - parent child
acquisition GenericExcitationSource -
acquisition ImagingEnvironment -
acquisition Instrument -
acquisition Laser - type laserMedium
acquisition LightEmittingDiode -
acquisition LightPath -
acquisition LightPathEmissionFilterLink - parent child
acquisition LightPathExcitationFilterLink - parent child
acquisition LightSettings - lightSource
acquisition LightSource a instrument
acquisition Microscope - type
acquisition OTF - sizeX sizeY opticalAxisAveraged pixelsType path objective instrument
acquisition Objective - immersion correction instrument
acquisition ObjectiveSettings - objective
acquisition StageLabel - name
acquisition TransmittanceRange -
annotations Annotation a
annotations AnnotationAnnotationLink - parent child
annotations BasicAnnotation a
annotations BooleanAnnotation -
annotations ChannelAnnotationLink - parent child
annotations CommentAnnotation -
annotations DatasetAnnotationLink - parent child
annotations DetectorAnnotationLink - parent child
annotations DichroicAnnotationLink - parent child
annotations DoubleAnnotation -
annotations ExperimenterAnnotationLink - parent child
annotations ExperimenterGroupAnnotationLink - parent child
annotations FileAnnotation -
annotations FilesetAnnotationLink - parent child
annotations FilterAnnotationLink - parent child
annotations FolderAnnotationLink - parent child
annotations ImageAnnotationLink - parent child
annotations InstrumentAnnotationLink - parent child
annotations LightPathAnnotationLink - parent child
annotations LightSourceAnnotationLink - parent child
annotations ListAnnotation -
annotations LongAnnotation -
annotations MapAnnotation -
annotations NamespaceAnnotationLink - parent child
annotations NodeAnnotationLink - parent child
annotations NumericAnnotation a
annotations ObjectiveAnnotationLink - parent child
annotations OriginalFileAnnotationLink - parent child
annotations PlaneInfoAnnotationLink - parent child
annotations PlateAcquisitionAnnotationLink - parent child
annotations PlateAnnotationLink - parent child
annotations ProjectAnnotationLink - parent child
annotations ReagentAnnotationLink - parent child
annotations RoiAnnotationLink - parent child
annotations ScreenAnnotationLink - parent child
annotations SessionAnnotationLink - parent child
annotations ShapeAnnotationLink - parent child
annotations TagAnnotation -
annotations TermAnnotation -
annotations TextAnnotation a
annotations TimestampAnnotation -
annotations TypeAnnotation a
annotations WellAnnotationLink - parent child
annotations XmlAnnotation -
containers Dataset - name
containers DatasetImageLink - parent child
containers Folder - name
containers FolderImageLink - parent child
containers FolderRoiLink - parent child
containers Project - name
containers ProjectDatasetLink - parent child
core Channel - logicalChannel pixels
core Image - name
core LogicalChannel -
core OriginalFile - path name
core Pixels - image pixelsType sizeX sizeY sizeZ sizeC sizeT sha1 dimensionOrder
core PixelsOriginalFileMap - parent child
core PlaneInfo - pixels theZ theC theT
display ChannelBinding - renderingDef family coefficient inputStart inputEnd active noiseReduction red green blue alpha
display CodomainMapContext a channelBinding
display ContrastStretchingContext - xstart ystart xend yend
display PlaneSlicingContext - upperLimit lowerLimit planeSelected planePrevious constant
display ProjectionDef - renderingDef axis type active
display QuantumDef - cdStart cdEnd bitResolution
display RenderingDef - pixels defaultZ defaultT model quantization
display ReverseIntensityContext - reverse
display Thumbnail - pixels mimeType sizeX sizeY
enums AcquisitionMode g value
enums AdminPrivilege g value
enums ArcType g value
enums Binning g value
enums ChecksumAlgorithm g value
enums ContrastMethod g value
enums Correction g value
enums DetectorType g value
enums DimensionOrder g value
enums EventType g value
enums ExperimentType g value
enums Family g value
enums FilamentType g value
enums FilterType g value
enums Format g value
enums Illumination g value
enums Immersion g value
enums JobStatus g value
enums LaserMedium g value
enums LaserType g value
enums Medium g value
enums MicrobeamManipulationType g value
enums MicroscopeType g value
enums PhotometricInterpretation g value
enums PixelsType g value
enums ProjectionAxis g value
enums ProjectionType g value
enums Pulse g value
enums RenderingModel g value
experiment Experiment - type
experiment MicrobeamManipulation - type experiment
fs Fileset - templatePrefix
fs FilesetEntry - fileset originalFile clientPath
fs FilesetJobLink - parent child
jobs ImportJob - imageName imageDescription
jobs IndexingJob -
jobs IntegrityCheckJob -
jobs Job a username groupname type message status submitted scheduledFor
jobs JobOriginalFileLink - parent child
jobs MetadataImportJob -
jobs ParseJob -
jobs PixelDataJob -
jobs ScriptJob -
jobs ThumbnailGenerationJob -
jobs UploadJob -
meta DBPatch g currentVersion currentPatch previousVersion previousPatch
meta Event g time experimenter experimenterGroup type session
meta EventLog g entityId entityType action event
meta Experimenter g omeName firstName lastName ldap
meta ExperimenterGroup g name ldap
meta ExternalInfo - entityId entityType
meta GroupExperimenterMap g parent child owner
meta Namespace g name
meta Node g uuid conn up
meta Session g node uuid owner timeToIdle timeToLive started defaultEventType
meta Share g group itemCount active data
meta ShareMember g parent child
roi AffineTransform - a00 a10 a01 a11 a02 a12
roi Ellipse -
roi Label -
roi Line -
roi Mask -
roi Path -
roi Point -
roi Polygon -
roi Polyline -
roi Rectangle -
roi Roi -
roi Shape a roi
screen Plate - name
screen PlateAcquisition - plate
screen Reagent - screen
screen Screen - name
screen ScreenPlateLink - parent child
screen Well - plate
screen WellReagentLink - parent child
screen WellSample - well image
stats StatsInfo - globalMin globalMax
`
